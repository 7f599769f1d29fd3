#!/usr/bin/env bash
# Debian's packages: packages.sh plan|apply dry-run|run|test
# Each of these includes the ones before it.
. "$(dirname "$0")/where.sh"

static_busybox() { command -v busybox && ! ldd "$(command -v busybox)"; }
venv_module() { /usr/bin/python3 -c 'import ensurepip, venv'; }
postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb'; }

# package, and what shows that it is there already, from wherever it came
declare -A table=(
    [dry-run]="
redis-server      command -v redis-server
python3-venv      venv_module"
    [run]="
runc              command -v runc
btrfs-progs       command -v mkfs.btrfs
iproute2          command -v ip
nftables          command -v nft
iptables          command -v iptables-restore
busybox-static    static_busybox
lxcfs             command -v lxcfs
mmdebstrap        command -v mmdebstrap
openssh-client    command -v ssh
zstd              command -v zstd"
    [test]="
chromium          command -v chromium
postgresql        postgres
nginx             command -v nginx
sshpass           command -v sshpass
iputils-ping      command -v ping
curl              command -v curl"
)

missing() { # PART
    local package check
    while read -r package check; do
        [[ -z $package ]] || $check &>/dev/null || printf '%s\n' "$package"
    done <<<"${table[$1]}"
}

all_missing() {
    local part
    for part in dry-run run test; do
        missing "$part"
        [[ $part != "$1" ]] || break
    done
}

plan() { # PART
    local packages simulated
    mapfile -t packages < <(all_missing "$1")
    ((${#packages[@]})) || { say "packages: none is missing"; return; }
    say "packages, by apt-get (no service of theirs is started or enabled):"
    printf '  %s\n' "${packages[@]}"
    # Even a simulation would write apt's caches.
    if simulated=$(apt-get -s -qq -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        install --no-install-recommends "${packages[@]}" 2>/dev/null); then
        say "  with what they need: $(awk '/^Inst/ { print $2 }' <<<"$simulated" | sort | paste -sd ' ')"
        awk '/^Remv/ { print "  replaced: " $2 }' <<<"$simulated"
    else
        say "  and the packages they depend on (run apt-get update first to see which)"
    fi
}

apply() { # PART
    local packages
    mapfile -t packages < <(all_missing "$1")
    ((${#packages[@]})) || return 0
    local line="apt-get install --no-install-recommends ${packages[*]}"
    command -v apt-get >/dev/null || refuse "These packages are missing, and there is no apt-get to install them: ${packages[*]}"
    ((EUID == 0)) || refuse "Packages are missing: ${packages[*]}. Install them as root: $line"
    local installed=("${packages[@]}")
    say "Installing ${packages[*]}"
    without_starting_services install "${packages[@]}"
    mapfile -t packages < <(all_missing "$1")
    mkdir -p "$STATE"
    printf '%s\n' "${installed[@]}" >>"$STATE/installed-packages"
    ((!${#packages[@]})) || refuse "These packages are installed but still can't be used: ${packages[*]}"
}

# A policy-rc.d that says no keeps Debian from starting redis-server, nginx and postgresql as
# services of the machine; what was not there before is not enabled either.
policy=/usr/sbin/policy-rc.d
mark="# the panel's set-up: no service starts while it installs"
without_starting_services() {
    if [[ ! -e $policy ]] || grep -qF "$mark" "$policy"; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
        chmod 755 "$policy"
    fi
    "$@"
    local unit
    for unit in redis-server nginx postgresql lxcfs; do
        if [[ " ${*:2} " == *" $unit"* ]] && command -v systemctl >/dev/null; then
            systemctl --quiet disable "$unit.service" 2>/dev/null || true
        fi
    done
}

install() {
    local said
    local apt=(apt-get -y -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
    # Lists that are absent or old make the first attempt fail.
    "${apt[@]}" install --no-install-recommends "$@" &>/dev/null </dev/null && return
    "${apt[@]}" update </dev/null
    said=$("${apt[@]}" install --no-install-recommends "$@" 2>&1 </dev/null) || refuse "$said"
}

case $1 in
plan) plan "$2" ;;
apply) apply "$2" ;;
esac
