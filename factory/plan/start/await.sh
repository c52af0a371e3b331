#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# await NAME OTHER...: waits, for the service NAME, until each other service of this image is ready: it runs and its `check`
# says so, or it has ended with 0 and is not to be started again.
set -u
name=$1
shift

is_ready() {
    [ ! -e "/run/services/.ended.$1" ] || return 0
    case $(sv status "/etc/service/$1" 2>&1) in
    run:*) [ ! -x "/etc/service/$1/check" ] || "/etc/service/$1/check" ;;
    *) return 1 ;;
    esac
}

for other in "$@"; do
    tries=0
    until is_ready "$other"; do
        tries=$((tries + 1))
        [ "$tries" != 600 ] || echo "services: $name still waits for $other"
        sleep 0.1
    done
done
