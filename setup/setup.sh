#!/usr/bin/env bash
# Everything between a clone and a running program: setup.sh plan|apply run|test|check
. "$(dirname "$0")/where.sh"
case ${PANEL_RUNTIME:-}:$2 in
dry-run:* | *:check) packages=dry-run ;;
*) packages=$2 ;;
esac
[[ $2 == run ]] && python=run || python=dev

setup/packages.sh "$1" "$packages"
setup/user.sh "$1"
setup/python.sh "$1" "$python"
setup/front.sh "$1"
if [[ ${PANEL_RUNTIME:-} != dry-run && $EUID == 0 ]]; then
    setup/criu.sh "$1"
fi
setup/commands.sh "$1"
if [[ ${PANEL_RUNTIME:-} != dry-run && $EUID == 0 && $2 == run ]]; then
    case $1 in
    plan) /usr/bin/python3 -B -m containers.node.panels --plan ;;
    apply) /usr/bin/python3 -B -m containers.node.panels --note >/dev/null ;;
    esac
fi
if [[ $2 == run ]]; then
    setup/static.sh "$1"
    [[ ${PANEL_RUNTIME:-} == dry-run ]] || setup/kernel.sh "$1"
fi
