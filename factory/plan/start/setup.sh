#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup VOLUME: runs the set-up programs of this image that are due: `configure` once in the life of a volume, `upgrade` once after
# the volume was brought up to date by another build. One that fails is due again, and so is one before a power cut, if what it wrote
# was not on the disk yet.
#
# /usr/lib/imgfactory/configure, upgrade    they, where there are any; variables: names of variables that configure must have;
#                                           volumes: a volume in each line
# In VOLUME: .configured, it was done; .upgrading, an upgrade is under way; configure.log, upgrade.log
set -u
here=${0%/*}
root=${here%/usr/lib/imgfactory}
volume=$1

fail() {
    echo "setup: $*" >&2
    exit 1
}

# What was written to the volumes is on the disk afterwards.
settle() {
    while read -r path; do
        sync -f "$root$path" || fail "$root$path: cannot be written to"
    done < "$here/volumes"
}

# Runs a program; what it prints is in a log that only root can read.
run() {
    echo "setup: runs $1, see $volume/$1.log"
    (umask 077 && : >> "$volume/$1.log") || fail "$volume: cannot be written to"
    "$here/$1" >> "$volume/$1.log" 2>&1 || fail "$1 failed with status $?: the end of $volume/$1.log says why"
    settle
    ran=1
}

ran=
if [ -x "$here/configure" ] && [ ! -e "$volume/.configured" ]; then
    while read -r name; do
        eval "value=\${$name-}"
        [ -n "$value" ] || fail "the variable $name has to be given, as with podman run --env=$name=VALUE"
    done < "$here/variables"
    run configure
elif [ -x "$here/upgrade" ] && [ -d "$volume/.upgrading" ]; then
    run upgrade
fi
[ -e "$volume/.configured" ] || : > "$volume/.configured" || fail "$volume: cannot be written to"
[ ! -d "$volume/.upgrading" ] || rmdir "$volume/.upgrading" || fail "$volume: cannot be written to"
[ -z "$ran" ] || settle
