# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of scripts/elsewhere
# What scripts/elsewhere is made of: the minimal root, the namespaces it is run in, what is run there.

elsewhere_packages='
mmdebstrap               mmdebstrap
debian-archive-keyring   debian-keyring
util-linux               util-linux
tar                      tar
'
if ((EUID != 0)); then
    elsewhere_packages+='
uidmap                   shadow-utils
'
fi

usage() {
    say "$*"
    say "usage: scripts/elsewhere [bookworm|trixie|sid] [--as root|user] [--offline] [--image NAME] [--run COMMAND]... [--give DIR PATH] [--take PATH DIR] [--mirror URL] [--stale] [--refresh]"
    exit 2
}

# `in_namespaces COMMAND…` runs a command in a mount and PID namespace (as an ordinary user: in a user namespace, as its root)
# that ends with this process, however that ends.
namespaces=(--mount --pid --fork --kill-child --propagation private)
if ((EUID != 0)); then
    namespaces=(--map-root-user --map-auto "${namespaces[@]}")
fi
in_namespaces() {
    setpriv --pdeathsig KILL unshare "${namespaces[@]}" "$@"
}

# Ends with what tells that nothing was tried.
leave_out() {
    say "left out: $*"
    exit 77
}

# Installs what is missing; where nobody may, that is another reason to leave it out.
need_packages() {
    if ((EUID != 0)) && ! command -v sudo >/dev/null && [[ -n $(missing_debian "$elsewhere_packages") ]]; then
        leave_out "these packages are missing, and here is neither root nor sudo: $(missing_debian "$elsewhere_packages" | tr "\n" " ")"
    fi
    install_missing elsewhere "$elsewhere_packages"
}

# Exit 77 unless the roots can be mounted: as root or in a user namespace.
need_namespaces() {
    local probe='d=$(mktemp -d) && mount -t tmpfs none "$d" && mkdir "$d/p" && mount -t proc proc "$d/p"; s=$?
        umount -l "$d"; rmdir "$d"; exit $s'
    local reason
    if ! reason=$(in_namespaces bash -c "$probe" 2>&1 </dev/null); then
        leave_out "mount and PID namespaces are not to be had here, as root or in a user namespace: ${reason:-no reason given}"
    fi
}

# Prints the mirror of Debian's main archive that apt uses here. apt itself is asked, which reads either format of its sources: for
# the origin of the indices that it has, or, when it has none yet, for the addresses that an update would read.
host_mirror() {
    local uri
    command -v apt-get >/dev/null || return 0
    uri=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's,^Debian/Debian/main ,,p' | sed -n 1p)
    if [[ -z $uri ]]; then
        uri=$(apt-get --print-uris update -o Debug::NoLocking=1 2>/dev/null |
            sed -nE "s,^'(mirror\+file:[^']*|[^']*/debian/?)/dists/[^']*/InRelease'.*,\1,p" | sed -n 1p)
    fi
    if [[ $uri == mirror+file:* ]]; then
        uri=$(awk '/^[a-z]/ { print $1; exit }' "${uri#mirror+file:}")
    fi
    printf '%s\n' "${uri%/}"
}

# Removes what earlier runs left that were killed: nobody holds their lock.
sweep_runs() {
    local lock
    for lock in "$cache"/run.*.lock; do
        [[ -f $lock ]] && flock -n "$lock" true && remove_run "${lock%.lock}"
    done
    find "$cache" -maxdepth 1 -name "*.log" -mtime +7 -delete
}

# Files of a root may be another user's, so they are removed in the namespaces they were made in.
remove_run() {
    in_namespaces rm -rf --one-file-system "$1" && rm -f "$1.lock"
}

# Sets `run`, a folder of this process's own. Its lock is there first, so that nobody sweeps it.
begin_run() {
    local lock
    while :; do
        lock=$(mktemp "$cache/run.XXXXXX.lock")
        exec {run_lock}>"$lock"
        flock "$run_lock"
        [[ ! -e $lock ]] || break # swept before it was locked
        exec {run_lock}>&-
    done
    run=${lock%.lock}
    trap 'end_run' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    mkdir "$run"
}

# Ends what still runs there, and removes it.
end_run() {
    trap '' INT TERM HUP
    if [[ -n ${child:-} ]]; then
        kill -KILL "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    [[ -z ${run:-} ]] || remove_run "$run"
    [[ -z ${run_lock:-} ]] || exec {run_lock}>&-
    run='' child='' run_lock=''
    trap - EXIT INT TERM HUP
}

# Runs a command in the namespaces so that a signal to this script ends it (in_namespaces would have a shell in between).
run_child() {
    local result=0
    setpriv --pdeathsig KILL unshare "${namespaces[@]}" "$@" </dev/null &
    child=$!
    wait "$child" || result=$?
    child=''
    return "$result"
}

source_line() {
    printf 'deb %s%s %s main\n' "${stale:+[check-valid-until=no] }" "$mirror" "$suite"
}

# Makes the minimal root, a tar file, unless it is there and young. One at a time; the file has its name only when it is whole.
make_base() {
    local begun=$SECONDS log
    base=$cache/$suite-$(uname -m).tar
    exec {base_lock}>"$base.lock"
    if ! flock -n "$base_lock"; then
        say "$suite: waiting for another run that makes the minimal root"
        flock "$base_lock"
    fi
    if [[ -f $base && -n $(find "$base" -mtime "-$keep_days") ]]; then
        say "$suite: the minimal root is $base"
    else
        say "$suite: making a minimal root from $mirror"
        begin_run
        log=$run/log
        if make_root_tar >"$log" 2>&1; then
            mv "$run/root.tar" "$base"
            say "$suite: made in $((SECONDS - begun)) s: $base"
        else
            refuse_base "$log"
        fi
        end_run
    fi
    exec {base_lock}>&-
}

make_root_tar() {
    local tool=(mmdebstrap --variant=minbase --format=tar --architectures="$(dpkg --print-architecture)" "$suite"
        "$run/root.tar" "$(source_line)")
    if ((EUID == 0)); then
        mkdir "$run/tmp"
        TMPDIR=$run/tmp run_child --mount-proc "${tool[@]}" --mode=root
    else
        setpriv --pdeathsig KILL "${tool[@]}" --mode=unshare </dev/null
    fi
}

# Says why there is no minimal root; goes on with an old one if there is one.
refuse_base() {
    tail -n 15 "$1" >&2
    if grep -qiE 'expired|no longer valid|Valid-Until' "$1"; then
        fail "$mirror's index of $suite is past its Valid-Until: the mirror stands still, or this clock is wrong. --stale goes on all the same"
    fi
    [[ -f $base && $keep_days != 0 ]] || fail "mmdebstrap made no root of $suite from $mirror"
    say "no new root could be made: taking $base, of $(date -r "$base" +%F)"
}

# Writes the commands, one after the other, with a line before and after each that tell the outcome.
write_steps() {
    local i
    printf 'cd "$HOME/imgfactory" || exit\n'
    for i in "${!commands[@]}"; do
        printf 'printf "@begin %%s\\n" %q; begun=$SECONDS\n' "${commands[i]}"
        printf '(%s\n) </dev/null; echo "@end %d $? $((SECONDS - begun))"\n' "${commands[i]}" "$i"
    done
}

# What a root is given of this machine: the way to the mirror.
equip_root() {
    local root=$1 name
    mkdir -p "$root"
    tar -xpf "$base" -C "$root" --numeric-owner --exclude='./dev/*'
    rm -f "$root/etc/apt/sources.list.d/"*
    source_line >"$root/etc/apt/sources.list"
    apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|ftp)::Proxy' >"$root/etc/apt/apt.conf.d/99proxy" || true
    for name in resolv.conf hosts hostname; do
        rm -f "$root/etc/$name"
        cat "/etc/$name" >"$root/etc/$name" 2>/dev/null || true
    done
    mkdir -p "$root/$home"
    tar -x -C "$root/$home" --no-same-owner <"$run/tree.tar"
    [[ ! -f $run/given.tar ]] || tar -x -C "$root/$home" --no-same-owner -f "$run/given.tar"
    cp "$run/steps" "$root/$home/steps"
}

# Runs in the namespaces: makes the folder this process's root, as a machine has it, so that what runs there may make namespaces.
enter_root() {
    local root=$1 name
    mount --bind "$root" "$root"
    mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
    for name in null zero full random urandom tty fuse net/tun; do
        [[ -e /dev/$name ]] || continue
        mkdir -p "$(dirname "$root/dev/$name")"
        : >"$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    for name in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${name%:*}" "$root/dev/${name#*:}"
    done
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mkdir -p "$root/.old"
    cd "$root"
    pivot_root . .old
    umount -l /.old
    rmdir /.old
}

# Runs in the root: makes the user if one is wanted, and runs the steps as who is wanted.
run_steps() {
    local kept=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) name
    for name in http_proxy https_proxy no_proxy all_proxy; do
        [[ -z ${!name:-} ]] || kept+=("$name=${!name}")
    done
    if [[ $1 == root ]]; then
        exec env -i "${kept[@]}" HOME=/root USER=root bash "$home/steps"
    fi
    env -i "${kept[@]}" DEBIAN_FRONTEND=noninteractive bash -c 'apt-get update -q && apt-get install -qy --no-install-recommends sudo' >/dev/null
    useradd -M -s /bin/bash "$1"
    chown -R "$1:" "/home/$1"
    printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$1" >"/etc/sudoers.d/$1"
    exec runuser -u "$1" -- env -i "${kept[@]}" "HOME=/home/$1" "USER=$1" bash "$home/steps"
}

# Of the output passes on what tells the progress and what failed: the scripts' own lines, ctest's line of each test, and the last
# 60 lines of what a test that failed printed. The whole goes to the log. (Not awk: Debian's reads ahead, and the progress waits.)
show_progress() {
    local log=$1 who=$2 line block=() mode=plain
    while IFS= read -r line || [[ -n $line ]]; do
        printf '%s\n' "$line" >>"$log"
        line=${line%$'\r'}
        case $line in
        @begin\ *)
            printf '== %s: %s\n' "$who" "${line#@begin }"
            mode=plain
            continue
            ;;
        @end\ *) mode=plain ;;&
        @end\ * | *' Test '*'#'[0-9]*': '* | *' Start '*[0-9]': '* | *'% tests passed'*)
            ((${#block[@]} == 0)) || printf '    %s\n' "${block[@]:${#block[@]} > 60 ? ${#block[@]} - 60 : 0}"
            block=()
            ;;&
        @end\ * | *' Start '*[0-9]': '*) [[ $line == @end* ]] || mode=passed ;;
        *' Test '*'#'[0-9]*': '*)
            mode=passed
            [[ $line != *'***'* || $line == *'***Skipped'* ]] || mode=failed
            printf '  %s\n' "$line"
            ;;
        *)
            [[ $line != *'% tests passed'* ]] || mode=plain
            [[ $mode != plain ]] || printf '  %s\n' "$line"
            [[ $mode != failed ]] || block+=("$line")
            ;;
        esac
    done
}

# Runs in the namespaces: all of one try.
live_in() {
    set -eu
    equip_root "$1"
    enter_root "$1"
    run_steps "$2"
}

# try_as root|user: a fresh root, the commands in it, a line of the summary for each.
try_as() {
    local log=$cache/$suite-$1.$$.log name=root reader i result seconds failed=''
    home=/root
    [[ $1 == root ]] || { name=tester home=/home/tester; }
    begin_run
    : >"$log"
    pack_tree imgfactory >"$run/tree.tar"
    write_steps >"$run/steps"
    [[ -z ${give[*]} ]] || tar -C "${give[0]}" --transform="s,^\.,imgfactory/${give[1]}," -cf "$run/given.tar" .
    mkfifo "$run/output"
    show_progress "$log" "$suite, as $1" <"$run/output" &
    reader=$!
    export base run mirror suite stale home
    export -f live_in equip_root enter_root run_steps source_line
    run_child bash -c 'live_in "$@"' bash "$run/root" "$name" >"$run/output" 2>&1 || true
    wait "$reader"
    if [[ -n ${take[*]} ]]; then
        mkdir -p "${take[1]}"
        tar -C "$run/root/$home/imgfactory/${take[0]}" -c . | tar -C "${take[1]}" -x --no-same-owner || failed=yes
    fi
    for i in "${!commands[@]}"; do
        read -r result seconds < <(sed -n "s/^@end $i //p" "$log" | head -n 1; echo)
        [[ ${result:-} == 0 ]] || failed=yes
        summary+=("elsewhere: $suite, as $1: ${commands[i]}: $(outcome "${result:-}")${seconds:+ in $seconds s}")
    done
    [[ -z $stale ]] || summary+=("elsewhere: $suite, as $1: --stale: whether the mirror is up to date was not asked")
    if [[ -n $failed ]]; then
        status=1
        summary+=("elsewhere: $suite, as $1: all that was printed: $log")
    else
        rm -f "$log"
    fi
    end_run
}

outcome() {
    case $1 in
    0) echo passed ;;
    '') echo "did not come to an end" ;;
    *) echo "FAILED (exit $1)" ;;
    esac
}
