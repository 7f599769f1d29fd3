#!/usr/bin/env bash
# What `make run` would change on this machine. Reads only.
. "$(dirname "$0")/where.sh"
export PYTHONDONTWRITEBYTECODE=1

if [[ ${PANEL_RUNTIME:-} == dry-run ]]; then
    say "What a dry run would change (checkout $CHECKOUT, state $STATE); no container, mount or rule of this machine's:"
else
    say "What make run would change here, as root (checkout $CHECKOUT, instance $INSTANCE):"
fi
say ""
setup/setup.sh plan run
[[ ${PANEL_RUNTIME:-} == dry-run ]] && exit
say ""
say "settings of the node: $ETC/vz.conf, scripts and hooks in $ETC/conf"
for place in /etc/vz/vz.conf /etc/sysconfig/vz; do
    [[ -e $place || -L $place ]] || say "link: $place -> $ETC/vz.conf"
done
say "ids: 65536 users and groups a container, a block reserved in /etc/subuid and /etc/subgid"
/usr/bin/python3 -m containers.node.storage.pool --plan
/usr/bin/python3 -m containers.node.network --plan
/usr/bin/python3 -m containers.node.apparmor --plan
/usr/bin/python3 -m containers.node.lxcfs --plan
/usr/bin/python3 -m containers.node.runtimes.advisories
say "processes: web and redis as $PANEL_USER, node as root, listening on $PANEL_HTTP only"
say "make remove takes back links, routes, rules, limits of the kernel and mounts; packages, the user $PANEL_USER and $STATE stay."
