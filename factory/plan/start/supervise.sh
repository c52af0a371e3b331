#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the services of this image with runit, and ends them in the reverse order.
#
# /etc/service/NAME       of each service run, check, finish
# /usr/lib/imgfactory/services    their names in the order in which they are started
# /run/services           NAME: what runsv keeps; .pid: of this script; .ended.NAME: a task is done; .stopping: all ends; .status: with what
set -u
state=/run/services
order=

stop() {
    trap '' TERM INT HUP QUIT PWR
    : > "$state/.stopping"
    for name in $order; do
        sv force-stop "/etc/service/$name" > "$state/.told" 2>&1 ||
            echo "services: $name did not end, and was killed" >&2
    done
    kill -HUP "$supervisor" 2> "$state/.told" # ends the runsv processes
    wait "$supervisor"
    status=0
    if [ -s "$state/.status" ]; then
        read -r status < "$state/.status"
    fi
    exit "$status"
}

umask 022
mkdir -p "$state" || exit 1
rm -f "$state/.stopping" "$state/.status" "$state/.ended."*
echo $$ > "$state/.pid" || exit 1
while read -r name; do
    order="$name $order"
    mkdir -p "$state/$name" || exit 1
done < /usr/lib/imgfactory/services

runsvdir -P /etc/service &
supervisor=$!
trap stop TERM INT HUP QUIT PWR
wait "$supervisor"
echo "services: runsvdir ended by itself" >&2
echo 1 > "$state/.status"
stop
