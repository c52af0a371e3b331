# shellcheck shell=bash
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
zlib1g-dev             zlib-devel
libssl-dev             openssl-devel
libyaml-dev            libyaml-devel
libjansson-dev         jansson-devel
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
skopeo                 skopeo
umoci                  umoci
qemu-user-static       qemu-user-static
docker-registry        docker-distribution
apache2-utils          httpd-tools
openssl                openssl
podman                 podman
runc                   runc
strace                 strace
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
openssh-client         openssh-clients
postgresql-client      postgresql
'
bench_closure_packages='
libtree                libtree
pax-utils              pax-utils
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
        if [[ -n $name ]] && ! grep -qxF "$name" <<<"$installed"; then
            echo "$name"
        fi
    done <<<"$1"
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

# configure PRESET TESTS(ON|OFF): once, and again when the tests are wanted for the first time.
configure() {
    local dir=$top/build/$1
    if [[ ! -f $dir/build.ninja ]] || { [[ $2 == ON ]] && grep -qx 'IMGFACTORY_TESTS:BOOL=OFF' "$dir/CMakeCache.txt"; }; then
        quietly cmake -S "$top" --preset "$1" "-DIMGFACTORY_TESTS=$2"
    fi
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

# build PRESET TARGET: configures if needed and builds. Two calls at once wait for each other.
build() {
    local preset=$1 target=$2 dir=$top/build/$1 tests=ON log
    [[ $target == imgfactory ]] && tests=OFF
    mkdir -p "$dir"
    (
        if command -v flock >/dev/null; then
            flock 9
        fi
        cd "$top" || exit
        configure "$preset" "$tests" || exit
        log=$dir/build.log
        : >"$log"
        if ! cmake --build "$dir" --target "$target" 2>&1 </dev/null | watch_build "$log" "$preset"; then
            cat "$log" >&2
            fail "the build failed"
        fi
    ) 9>"$dir/.lock"
}
