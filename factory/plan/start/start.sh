#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# start COMMAND...: fills the volumes of this image when they are empty, brings them up to date when they are of an older build of
# it, runs its set-up programs, and becomes the command. A kill or a power cut at any moment is mended by the next start. No other
# container gets the volumes meanwhile: what the start becomes inherits the locks.
#
# /etc/build-id                     "ID SECONDS": this build, and when it was created
# /usr/lib/imgfactory/volumes       a volume in each line: its path; /PATH-template is what it is filled with
# /usr/lib/imgfactory/data.NUMBER   what the template of volume NUMBER holds: KIND MODE UID GID PATH, tabs between
# /usr/lib/imgfactory/scripts       "PACKAGE VERSION", tab, what its scripts would have done and nobody did
# /usr/lib/imgfactory/run           directories below /run, which is empty at each start; run-template has them
# In a volume: build-id, as above, of the build that filled it; .populating-ID while that is done; .pristine-ID, the configuration as
# that build had it, with .configuration, which has RULE, tab, PATH of each; upgrade.log; .lock, held while a container uses the volume; and in the first one .upgrading, while an upgrade is
# under way.
set -u
here=${0%/*}
root=${here%/usr/lib/imgfactory}
tab=$(printf '\t')

fail() {
    echo "start: $*" >&2
    exit 1
}

report() {
    echo "start: $*"
    echo "$*" >> "$volume/upgrade.log" || fail "$volume: cannot be written to"
}

is_there() {
    [ -e "$1" ] || [ -L "$1" ]
}

is_plain() {
    [ -f "$1" ] && [ ! -L "$1" ]
}

# Whether a population was begun and not ended; $mark is its mark.
is_begun() {
    for mark in "$volume"/.populating-*; do
        [ ! -d "$mark" ] || return 0
    done
    mark=$volume/.populating-$id
    return 1
}

# Removes everything in the volume but the mark: nothing has used it yet.
empty() {
    for file in "$volume"/* "$volume"/.[!.]* "$volume"/..?*; do
        case ${file##*/} in .populating-* | .lock | lost+found) continue ;; esac
        ! is_there "$file" || rm -rf -- "$file" || fail "$file: cannot be removed"
    done
}

is_empty() {
    for file in "$volume"/* "$volume"/.[!.]* "$volume"/..?*; do
        case ${file##*/} in .lock | lost+found) continue ;; esac
        ! is_there "$file" || return 1
    done
}

# Whether the volume was filled to the end.
is_filled() {
    ! is_begun && is_plain "$volume/build-id"
}

# Keeps other containers from the volume by a lock on $descriptor, which ends with the last process that has it open. A shell has
# descriptors up to 9 for this.
lock() {
    true >> "$volume/.lock" || fail "$volume: cannot be written to"
    eval "exec $descriptor<> \"\$volume/.lock\""
    flock -n "$descriptor" && return 0
    [ $? != 1 ] || fail "$volume: is in use by another container; give each its own volume, or stop that one first"
    echo "start: $volume: cannot be locked on this file system; see to it that no other container uses it" >&2
}

# What was written to the volume is on the disk afterwards.
settle() {
    sync -f "$volume" || fail "$volume: cannot be written to"
}

populate() {
    if is_begun; then # by this build: what it copied is copied again; by another one: it may have other things in its places
        if [ "$mark" != "$volume/.populating-$id" ]; then
            empty
            mv "$mark" "$volume/.populating-$id" || fail "$volume: cannot be written to"
        fi
    else
        mkdir "$mark" || fail "$volume: cannot be written to"
    fi
    cp -af "$template/." "$volume/" || fail "$volume: cannot be filled; is it full?"
    settle
    rmdir "$volume/.populating-$id" || fail "$volume: cannot be written to"
}

# Puts a file or link into the volume, in one step; of a link that is there in two, since it could lead to a directory.
install() {
    { rm -rf "$volume/.installing" && cp -a "$1" "$volume/.installing" && { [ ! -L "$volume/$2" ] || rm "$volume/$2"; } &&
        mv -f "$volume/.installing" "$volume/$2"; } || fail "$volume/$2: cannot be written; is the volume full?"
}

# Moves what is in the way of another kind of thing out of it.
put_aside() {
    count=1
    while is_there "$volume/$1.before.$count"; do
        count=$((count + 1))
    done
    mv "$volume/$1" "$volume/$1.before.$count" || fail "$volume/$1: cannot be renamed"
    report "$1: is something else now; what was there is $1.before.$count"
}

upgrade_directory() {
    if is_there "$volume/$path" && { [ -L "$volume/$path" ] || [ ! -d "$volume/$path" ]; }; then
        put_aside "$path"
    fi
    [ ! -d "$volume/$path" ] || return 0
    { rm -rf "$volume/.installing" && mkdir "$volume/.installing" && chown "$uid:$gid" "$volume/.installing" &&
        chmod "$mode" "$volume/.installing" && mv "$volume/.installing" "$volume/$path"; } ||
        fail "$volume/$path: cannot be made; is the volume full?"
    report "$path: new"
}

upgrade_link() {
    if [ -L "$volume/$path" ]; then
        now=$(readlink "$volume/$path")
        [ "$now" != "$(readlink "$template/$path")" ] || return 0
        if [ -L "$pristine/$path" ] && [ "$now" = "$(readlink "$pristine/$path")" ]; then
            install "$template/$path" "$path"
            report "$path: replaced"
        else
            report "$path: kept, it leads elsewhere than before"
        fi
        return 0
    fi
    ! is_there "$volume/$path" || put_aside "$path"
    install "$template/$path" "$path"
    report "$path: new"
}

# Puts a file beside the one that it is another version of. A directory there, or a link to one, would swallow it.
install_beside() {
    { ! is_there "$volume/$2" || is_plain "$volume/$2"; } || put_aside "$2"
    install "$1" "$2"
}

# Configuration that somebody removed, and whose package manager leaves it at that.
stay_away() {
    told=
    if [ "$kind" = conffile ] && ! cmp -s "$pristine/$path" "$template/$path"; then
        install_beside "$template/$path" "$path.dpkg-dist"
        told="; the package's is $path.dpkg-dist"
    fi
    report "$path: stays away, as it was removed$told"
}

# Configuration that both the package and somebody else changed, by the rule of its package manager. rpm calls what was there before
# any package .rpmorig.
settle_both() {
    case $kind in
    conffile)
        install_beside "$template/$path" "$path.dpkg-dist"
        report "$path: kept, as it was changed; the package's is $path.dpkg-dist"
        ;;
    *noreplace)
        install_beside "$template/$path" "$path.rpmnew"
        report "$path: kept, as it was changed; the package's is $path.rpmnew"
        ;;
    *)
        former=$path.rpmsave
        [ ! -d "$pristine" ] || is_there "$pristine/$path" || former=$path.rpmorig
        install_beside "$volume/$path" "$former"
        install "$template/$path" "$path"
        report "$path: replaced; it was changed, and is $former"
        ;;
    esac
}

# Whether the volume has a file of that kind as it is in another tree. A link that somebody put in a file's place is a change.
is_same() {
    ! [ -L "$volume/$path" ] && is_plain "$1/$path" && cmp -s "$volume/$path" "$1/$path"
}

# Configuration that is there in the volume: a file, or a link that somebody put in the place of the package's file.
upgrade_configuration() {
    if is_same "$template"; then
        :
    elif is_same "$pristine"; then
        install "$template/$path" "$path"
        report "$path: replaced"
    elif ! is_plain "$pristine/$path" || ! cmp -s "$pristine/$path" "$template/$path"; then
        settle_both
    fi
}

upgrade_file() {
    if ! is_there "$volume/$path"; then
        case $kind in
        conffile | missing-*)
            if is_plain "$pristine/$path"; then
                stay_away
                return 0
            fi
            ;;
        esac
        install "$template/$path" "$path"
        report "$path: new"
    elif is_plain "$volume/$path" || { [ -L "$volume/$path" ] && is_plain "$pristine/$path"; }; then
        [ "$kind" = file ] || upgrade_configuration
    else
        put_aside "$path"
        install "$template/$path" "$path"
        report "$path: new"
    fi
}

# Whether the directories above $path are directories of the volume: nothing is done through links.
is_reached() {
    folder=$volume
    rest=$path
    while [ "$rest" != "${rest#*/}" ]; do
        folder=$folder/${rest%%/*}
        rest=${rest#*/}
        { [ -d "$folder" ] && [ ! -L "$folder" ]; } || return 1
    done
}

# Configuration that the package has no more: rpm removes it, or saves it if it was changed.
remove_configuration() {
    if is_same "$pristine"; then
        rm -f "$volume/$path" || fail "$volume/$path: cannot be removed"
        report "$path: removed, as the package has it no more"
        return 0
    fi
    ! is_there "$volume/$path.rpmsave" || { is_plain "$volume/$path.rpmsave" && [ ! -d "$volume/$path" ]; } ||
        put_aside "$path.rpmsave"
    mv -f "$volume/$path" "$volume/$path.rpmsave" || fail "$volume/$path: cannot be renamed"
    report "$path: the package has it no more; it was changed, and is $path.rpmsave"
}

# dpkg leaves such a file, and knows what the package had, should it come back: so does the copy of the volume that is made.
keep_obsolete() {
    [ "$kind" = obsolete ] || report "$path: stays, though the package has it no more"
    { mkdir -p "$volume/.installing/${path%/*}" && cp -a "$pristine/$path" "$volume/.installing/$path" &&
        echo "obsolete$tab$path" >> "$volume/.installing/.configuration"; } ||
        fail "$volume: cannot be written to; is it full?"
}

# Configuration that the former build had and this one has not.
settle_gone() {
    is_plain "$pristine/.configuration" || return 0
    while IFS=$tab read -r kind path; do
        { ! is_there "$template/$path" && is_reached && is_there "$volume/$path" && is_plain "$pristine/$path"; } || continue
        case $kind in
        conffile | obsolete) keep_obsolete ;;
        *) remove_configuration ;;
        esac
    done < "$pristine/.configuration"
}

# Tells what scripts of packages that are others now would have done, which nobody did.
tell_scripts() {
    is_plain "$pristine/.packages" || return 0
    while IFS=$tab read -r package note; do
        known=
        while read -r former; do
            [ "$former" != "$package" ] || known=1
        done < "$pristine/.packages"
        [ -n "$known" ] || report "$note"
    done < "$here/scripts"
}

# Brings the volume from the build $have to $id.
upgrade() {
    pristine="$volume/.pristine-$have"
    report "$volume: from build $have to $id"
    while IFS=$tab read -r kind mode uid gid path; do
        case $kind in
        directory) upgrade_directory ;;
        link) upgrade_link ;;
        *) upgrade_file ;;
        esac
    done < "$here/data.$number"
    tell_scripts
    rm -rf "$volume/.installing" "$volume/.pristine-$id"
    cp -a "$template/.pristine-$id" "$volume/.installing" || fail "$volume: cannot be written to; is it full?"
    settle_gone
    mv "$volume/.installing" "$volume/.pristine-$id" || fail "$volume: cannot be written to"
    settle
    install "$template/build-id" build-id
    settle
}

read -r id created < "$root/etc/build-id" || fail "/etc/build-id: missing"
umask 022
trap 'exit 143' TERM INT
descriptor=9
while read -r path; do
    volume=$root$path
    [ -d "$volume" ] || fail "$volume: is no directory"
    is_filled || is_begun || is_empty ||
        fail "$volume: holds files, but no build-id: it is no volume of this image. Give it an empty one"
    [ "$descriptor" -lt 3 ] || lock
    descriptor=$((descriptor - 1))
done < "$here/volumes"
while read -r path; do # before anything is done
    volume=$root$path
    is_filled || continue
    since=
    read -r have since < "$volume/build-id"
    case $since in '' | *[!0-9]*) fail "$volume/build-id: damaged" ;; esac
    [ "$since" -le "$created" ] ||
        fail "$volume: a newer build of this image has used it; start that one, or restore the volume as it was before"
done < "$here/volumes"
number=0
first=
while read -r path; do
    volume=$root$path
    template=$volume-template
    number=$((number + 1))
    first=${first:-$volume}
    have=
    if is_filled; then
        read -r have _ < "$volume/build-id"
    else
        populate
    fi
    case $have in
    '' | "$id") ;;
    *)
        [ -d "$first/.upgrading" ] || mkdir "$first/.upgrading" || fail "$first: cannot be written to"
        upgrade
        ;;
    esac
done < "$here/volumes"
if [ -d "$first/.upgrading" ]; then
    while read -r path; do
        for former in "$root$path"/.pristine-*; do
            [ "${former##*-}" = "$id" ] || rm -rf "$former"
        done
    done < "$here/volumes"
fi
while read -r path; do
    [ ! -d "$root$path" ] || continue
    cp -a "$here/run-template/." "$root/run/" || fail "/run: cannot be written to"
    break
done < "$here/run"
trap - TERM INT
if [ -e "$here/late" ]; then
    : # a unit of systemd runs it
elif [ -x "$here/setup" ]; then
    "$here/setup" "$first" || exit 1
elif [ -d "$first/.upgrading" ]; then
    rmdir "$first/.upgrading" || fail "$first: cannot be written to"
fi
case $1 in
*/systemd) sleep 2147483647 > /dev/null 2>&1 & ;; # holds the locks: systemd closes what it inherits
esac
exec "$@"
