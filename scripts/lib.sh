# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # the lists of packages are for those who read this file
# Shared by the scripts of this folder and .ci/run: install what is missing, build quietly. Messages go to stderr, so that
# stdout holds only what the program itself prints.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One line per dependency: Debian's name, Fedora's name.
build_packages='
gcc                    gcc
libc6-dev              glibc-devel
cmake                  cmake
ninja-build            ninja-build
make                   make
pkg-config             pkgconf-pkg-config
libelf-dev             elfutils-libelf-devel
libcurl4-openssl-dev   libcurl-devel
libsolv-dev            libsolv-devel
libexpat1-dev          expat-devel
libarchive-dev         libarchive-devel
libzstd-dev            libzstd-devel
liblzma-dev            xz-devel
zlib1g-dev             zlib-devel
libssl-dev             openssl-devel
libyaml-dev            libyaml-devel
libjansson-dev         jansson-devel
libsqlite3-dev         sqlite-devel
libdeflate-dev         libdeflate-devel
gpgv                   gnupg2
ca-certificates        ca-certificates
'
test_packages='
libcmocka-dev          libcmocka-devel
python3                python3
gpg                    gnupg2
gpg-agent              gnupg2
gpgconf                gnupg2
dpkg                   dpkg
zstd                   zstd
xz-utils               xz
bzip2                  bzip2
binutils               binutils
mount                  util-linux
e2fsprogs              e2fsprogs
skopeo                 skopeo
umoci                  umoci
qemu-user-static       qemu-user-static
docker-registry        docker-distribution
apache2-utils          httpd-tools
openssl                openssl
podman                 podman
uidmap                 shadow-utils
curl                   curl
runc                   runc
strace                 strace
faketime               libfaketime
rpm                    rpm-build
rpm                    rpm-sign
rpm2cpio               rpm
cpio                   cpio
createrepo-c           createrepo_c
dnf                    dnf
gcc-aarch64-linux-gnu  gcc-aarch64-linux-gnu
libc6-dev-arm64-cross  glibc
systemd                systemd
iproute2               iproute
util-linux             util-linux
shellcheck             ShellCheck
openssh-client         openssh-clients
postgresql-client      postgresql
'
check_packages='
binutils               binutils
clang-format           clang-tools-extra
clang-tidy             clang-tools-extra
gcc                    gcc
libc6-dev              glibc-devel
pyflakes3              python3-pyflakes
python3                python3
shellcheck             ShellCheck
'
bench_closure_packages='
libtree                libtree
pax-utils              pax-utils
'
bench_compression_packages='
libdeflate-tools       libdeflate-utils
zstd                   zstd
'
bench_night_packages='
gpg                    gnupg2
libtree                libtree
'
bench_push_packages='
docker-registry        docker-distribution
skopeo                 skopeo
'

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

# help_if_asked ARGUMENT...: with --help among them prints the comment that the script begins with, and ends.
help_if_asked() {
    local argument
    for argument; do
        if [[ $argument == --help || $argument == -h ]]; then
            sed -n '2,/^[^#]/{/^# SPDX-/d;s/^# \{0,1\}//p}' "$0"
            exit 0
        fi
    done
}

# Runs a command; shows its output only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if ((status != 0)); then
        cat "$log" >&2
        say "failed: $*"
    fi
    rm -f "$log"
    return "$status"
}

# Sets `as_root` to what makes a command run as root.
find_root() {
    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "these packages are missing, and here is neither root nor sudo: $*"
        as_root=(sudo)
    fi
}

# Prints the packages of a list that are not installed, nor provided by one that is (sid's qemu-user-static is a name only).
missing_debian() {
    local installed name rest
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}, ${Provides}\n' 2>/dev/null |
        sed -n 's/^installed //p' | tr , '\n' | sed 's/^ *//; s/[ (:].*//')
    while read -r name rest; do
        if [[ -n $name ]] && ! grep -qxF -e "$name" <<<"$installed"; then
            echo "$name"
        fi
    done <<<"$1" | sort -u
}

missing_fedora() {
    local rest name
    while read -r rest name; do
        if [[ -n $name ]] && ! rpm -q --whatprovides "$name" >/dev/null 2>&1; then
            echo "$name"
        fi
    done <<<"$1" | sort -u
}

# install_missing KIND LIST
install_missing() {
    local kind=$1 missing as_root
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        mapfile -t missing < <(missing_debian "$2")
        ((${#missing[@]})) || return 0
        find_root "${missing[@]}"
        say "installing $kind dependencies: ${missing[*]}"
        quietly "${as_root[@]}" apt-get update -q || return
        quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qy --no-install-recommends "${missing[@]}"
    elif command -v dnf >/dev/null; then
        mapfile -t missing < <(missing_fedora "$2")
        ((${#missing[@]})) || return 0
        find_root "${missing[@]}"
        say "installing $kind dependencies: ${missing[*]}"
        quietly "${as_root[@]}" dnf install -qy "${missing[@]}"
    else
        say "neither apt-get nor dnf here: taking the $kind dependencies as given"
    fi
}

# Succeeds when a folder is there, or can be made, and files can be made in it.
is_usable() {
    mkdir -p "$1" 2>/dev/null && [[ -w $1 ]]
}

# find_build_dir PRESET: sets `build_dir`. It is below $IMGFACTORY_BUILD_DIR, else below build/ of the source tree; when that
# cannot be written to (a read-only tree, another user's build) below the user's cache, by a name that is made of the tree's.
find_build_dir() {
    local cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} spare
    if [[ -n ${IMGFACTORY_BUILD_DIR:-} ]]; then
        build_dir=$(realpath -m -- "$IMGFACTORY_BUILD_DIR")/$1
        is_usable "$build_dir" || fail "IMGFACTORY_BUILD_DIR: $build_dir cannot be made or written to"
        return
    fi
    build_dir=$top/build/$1
    is_usable "$build_dir" && return
    spare=${cache:+$cache/imgfactory-build/$(cksum <<<"$top" | cut -d ' ' -f 1)/$1}
    if [[ -z $spare ]] || ! is_usable "$spare"; then
        fail "$build_dir cannot be written to${spare:+, nor can $spare}; name another folder: IMGFACTORY_BUILD_DIR=DIR ${0##*/} ..."
    fi
    [[ -f $spare/build.ninja ]] || say "$build_dir cannot be written to: building in $spare"
    build_dir=$spare
}

# cached NAME: the value that build_dir's CMakeCache.txt has for it.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$build_dir/CMakeCache.txt" 2>/dev/null
}

# Prints what went wrong of a log of cmake's: the library that is missing, and from the first error on, without what comes
# after it of a build.
show_configure_errors() {
    sed -nE '/^-- +(Package|No package|Requested) ./p; /^CMake Error/,/^FAILED: /p' "$1" | grep -v '^FAILED: ' || cat "$1"
}

# configure PRESET TESTS(ON|OFF): once; again when the presets have changed since, when the tests are wanted for the first
# time, and from scratch when the folder was made for another tree (it was moved).
configure() {
    local presets log=$build_dir/configure.log arguments=()
    presets=$(cksum <"$top/CMakePresets.json")
    if [[ -f $build_dir/CMakeCache.txt ]] &&
        ! [[ $(cached CMAKE_HOME_DIRECTORY) -ef $top && $(cached CMAKE_CACHEFILE_DIR) -ef $build_dir ]]; then
        arguments=(--fresh)
    elif [[ -f $build_dir/build.ninja && $presets == "$(cat "$build_dir/.presets" 2>/dev/null)" ]] &&
        [[ $2 == OFF || $(cached IMGFACTORY_TESTS) == ON ]]; then
        return
    fi
    if [[ $2 == ON || -z $(cached IMGFACTORY_TESTS) ]]; then
        arguments+=("-DIMGFACTORY_TESTS=$2")
    fi
    rm -f "$build_dir/.presets"
    if ! (cd "$top" && cmake "${arguments[@]}" -B "$build_dir" --preset "$1") >"$log" 2>&1 </dev/null; then
        show_configure_errors "$log" >&2
        fail "cmake failed; all that it printed: $log"
    fi
    printf '%s\n' "$presets" >"$build_dir/.presets"
}

# Reads a build's output into a file; at the first step that compiles or links, says that it builds.
watch_build() {
    local line said=
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$1"
        if [[ -z $said && $line =~ ^\[[0-9]+/[0-9]+\]\ (Building|Linking) ]]; then
            say "building imgfactory ($2)"
            said=yes
        fi
    done
}

# Prints what went wrong of ninja's log: for each step that failed its name and what its program printed, without the command line
# and the steps that went well.
show_build_errors() {
    local errors shown=60
    if grep -q '^CMake Error' "$1"; then
        show_configure_errors "$1"
        return
    fi
    errors=$(awk '
        /^\[[0-9]+\/[0-9]+\] / { is_failed = 0; next }
        /^FAILED: / { is_failed = 1; print; getline; next }
        /^ninja: (error|fatal)/ || (is_failed && !/^ninja: /)' "$1")
    [[ -n $errors ]] || errors=$(tail -n 20 "$1")
    head -n "$shown" <<<"$errors"
    if (($(wc -l <<<"$errors") > shown)); then
        printf '(and %d more lines)\n' $(($(wc -l <<<"$errors") - shown))
    fi
}

# build PRESET TARGET: sets `build_dir`, configures if needed and builds. Two calls at once wait for each other.
build() {
    local preset=$1 target=$2 tests=ON log
    [[ $target == imgfactory ]] && tests=OFF
    find_build_dir "$preset"
    (
        if command -v flock >/dev/null; then
            flock 9
        fi
        configure "$preset" "$tests"
        log=$build_dir/build.log
        : >"$log"
        if ! cmake --build "$build_dir" --target "$target" 2>&1 </dev/null | watch_build "$log" "$preset"; then
            show_build_errors "$log" >&2
            fail "the build failed; all that it printed: $log"
        fi
    ) 9>"$build_dir/.lock"
}

# pack_tree NAME: prints a tar of HEAD's files, in a folder NAME, as a tarball has them; without git of all that is here but what was built.
pack_tree() {
    local name=$1
    if git -c safe.directory="$top" -C "$top" rev-parse -q --verify HEAD >/dev/null 2>&1; then
        [[ -z $(git -c safe.directory="$top" -C "$top" status --porcelain 2>/dev/null) ]] ||
            say "HEAD is tried: what is not committed is left out"
        git -c safe.directory="$top" -C "$top" archive --format=tar --prefix="$name/" HEAD
    else
        tar -C "$top" --exclude=./build --exclude=./out --transform="s,^\.,$name," -c .
    fi
}
