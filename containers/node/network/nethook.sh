#!/bin/sh
# Gives a container its network: an OCI createRuntime hook, run at create and at restore.
#
# usage: nethook VETH CREATE NODE INSIDE [FIRST]       the container's state, as JSON, on stdin
#   VETH    the node's end of the link; empty for a container with loopback only
#   CREATE  the `ip` line that makes the link, but for the pid at its end
#   NODE    more lines for the node, INSIDE: lines for the container's network namespace
#   FIRST   shell commands that are to be run in that namespace before
# NETWORK_SCRIPT in the environment: root's own program, run last where there is one, with VEID,
# VE_CONFFILE and HOST_IFNAME; without it, or without a link, nothing more is done.
#
# Starts wait for this, so it starts three processes at most, and reads stdin without one.
set -u
veth=$1 create=$2 node=$3 inside=$4 first=${5-}

fail() {
    printf 'nethook: %s\n' "$1" >&2
    exit 1
}

# batch LINES COMMAND...: have ip, by way of COMMAND, do the lines, or say which line failed.
batch() {
    lines=$1
    shift
    said=$("$@" -batch - 2>&1 <<EOT
$lines
EOT
    ) && return
    case $said in
    *"Command failed -:"*) ;;
    *) fail "$* could not be run: $said" ;;
    esac
    number=${said##*Command failed -:}
    while [ "$number" -gt 1 ]; do
        lines=${lines#*"
"}
        number=$((number - 1))
    done
    fail "ip ${lines%%"
"*}: ${said%%"
"*}"
}

state=
while IFS= read -r line || [ -n "$line" ]; do
    state="$state $line"
done
# A quote within a value is written \", so the first match is the key and no value.
pid=${state#*\"pid\":}
[ "$pid" != "$state" ] || fail "the container's state names no pid"
pid=${pid#"${pid%%[! ]*}"}
pid=${pid%%[!0-9]*}
[ -n "$pid" ] || fail "the container's state names no pid"

if [ -n "$veth" ]; then
    # A link of this name is left over: its container can't be running while it is created.
    if [ -e "/sys/class/net/$veth" ]; then
        ip link del "$veth" 2>/dev/null || [ ! -e "/sys/class/net/$veth" ] ||
            fail "the old link $veth could not be deleted"
    fi
    batch "$create $pid
$node" ip
fi
set -- nsenter "--net=/proc/$pid/ns/net"
if [ -n "$first" ]; then
    set -- "$@" sh -c "$first"'
exec ip "$@"'
fi
batch "$inside" "$@" ip

if [ -n "$veth" ] && [ -n "${NETWORK_SCRIPT-}" ] && [ -x "$NETWORK_SCRIPT" ]; then
    said=$(env -u NETWORK_SCRIPT -u LC_ALL "$NETWORK_SCRIPT" 2>&1 </dev/null) ||
        fail "$NETWORK_SCRIPT ended with exit code $?: ${said##*"
"}"
fi
