#!/usr/bin/env bash
# A CRIU that works on this kernel: criu.sh plan|apply|unpack SUITE
# <state>/criu/status then holds one line: "ok PATH VERSION", or "off: REASON".
. "$(dirname "$0")/where.sh"
home=$STATE/criu
prefix=$home/prefix

plan() {
    if still_true; then
        say "process snapshots: $(<"$home/status")"
    else
        say "CRIU: the one in PATH if it passes a self-test, else Debian's newest, unpacked below $home"
        say "  (about 25 packages, 25 MB, with an apt state of its own: nothing is installed)"
    fi
}

apply() {
    still_true && return
    mkdir -p "$home"
    rm -f "$home/unreachable"
    find_one >"$home/status.new"
    mv "$home/status.new" "$home/status"
    if [[ ! -e $home/unreachable || $(<"$home/status") == ok* ]]; then
        tested >"$home/tested"
    fi
    say "Process snapshots: $(<"$home/status")"
}

# Said of this kernel and these programs; on another kernel it is asked again, and so is an
# "off" that comes from an archive out of reach.
still_true() {
    [[ -s $home/status && -s $home/tested && $(<"$home/tested") == "$(tested)" ]]
}
tested() {
    local program
    printf '%s' "$(uname -r)"
    for program in "$(command -v criu)" "$home/bin/criu"; do
        printf ' %s' "$(stat -Lc '%n:%Y:%s' "$program" 2>/dev/null || echo none)"
    done
}

find_one() {
    local own suite result said="there is none in PATH"
    if own=$(command -v criu); then
        result=$(setup/criu-selftest.sh "$own") && { ok "$own"; return; }
        said="$own: $result"
    fi
    if [[ ! -x $home/bin/criu ]]; then borrow; fi
    for suite in '' forky sid; do # the empty one: what an earlier set-up unpacked
        if [[ $suite ]]; then
            echo "Unpacking CRIU from Debian $suite below $home" >&2
            if ! setup/criu.sh unpack "$suite" >"$home/unpack.log" 2>&1; then
                said+="; $suite: $(tail -n 1 "$home/unpack.log")"
                touch "$home/unreachable"
                continue
            fi
        elif [[ ! -x $home/bin/criu ]]; then
            continue
        fi
        result=$(setup/criu-selftest.sh "$home/bin/criu") && { ok "$home/bin/criu"; return; }
        said+="; ${suite:-unpacked before}: $result"
    done
    say "off: no CRIU works on kernel $(uname -r): $said"
}
# Another panel of this machine may have one that was unpacked: a copy, for that panel may go.
borrow() {
    local state
    for state in $(/usr/bin/python3 -B -m containers.node.panels --others); do
        if [[ $(<"$state/criu/status") == "ok $state/criu/bin/criu "* ]] 2>/dev/null; then
            rm -rf "$prefix"
            cp -a --reflink=auto "$state/criu/prefix" "$prefix"
            write_program
            return
        fi
    done
}
ok() { say "ok $1 $("$1" --version | awk '/^Version/ { print $2 }')"; }

# The first Debian archive that apt has a list of packages from.
archive() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u | sed -n 1p | grep .
}

# CRIU and all it links with, libc included, by an apt that knows of no installed package and
# keeps nothing of ours: neither its lists nor dpkg's database are touched.
unpack() { # SUITE
    local uri deb
    work=$(mktemp -d /var/tmp/panel-criu.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    if ! uri=$(archive); then
        apt-get -qq update # its lists are empty: all packages were there already
        uri=$(archive) || refuse "apt has no package list of a Debian archive, not even after apt-get update"
    fi
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    : >"$work/installed"
    # An index past its Valid-Until is refused, for it may hold back a fixed CRIU: apt's default, which
    # stays as it is. A machine whose apt is told otherwise, as for a mirror that is frozen, has that.
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1 main" >"$work/sources.list"
    local apt=(apt-get -qq -y
        -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/installed"
        -o "Dir::State::extended_states=$work/extended"
        -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
        -o Acquire::http::Timeout=20 -o APT::Update::Error-Mode=any -o Acquire::Languages=none
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o APT::Keep-Downloaded-Packages=true)
    "${apt[@]}" update
    "${apt[@]}" --download-only install criu

    rm -rf "$prefix.new"
    mkdir "$prefix.new"
    for deb in "$work"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$prefix.new" --exclude='./usr/share/*'
    done
    (cd "$work/archives" && sha256sum -- *.deb) >"$home/packages.sha256"
    rm -rf "$prefix"
    mv "$prefix.new" "$prefix"

    write_program
}

write_program() {
    local loader libraries
    loader=$(find "$prefix/" -name 'ld-linux*.so.*' -print -quit)
    libraries=$(dirname "$(find "$prefix/usr/lib" -name 'libprotobuf-c.so.*' -print -quit)")
    mkdir -p "$home/bin"
    # Never for runc: it starts itself again through /proc/self/exe, which here is the loader.
    printf '#!/bin/sh\nexec "%s" --library-path "%s" --argv0 criu "%s" "$@"\n' \
        "$loader" "$libraries" "$prefix/usr/sbin/criu" >"$home/bin/criu"
    chmod 755 "$home/bin/criu"
}

case $1 in
plan) plan ;;
apply) apply ;;
unpack) unpack "$2" ;;
esac
