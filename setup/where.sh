# shellcheck shell=bash
# Where things are: every script here sources this first.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # `su` without a dash leaves these out

say() { printf '%s\n' "$*"; }
refuse() {
    printf '%s\n' "$*" >&2
    exit 1
}

CHECKOUT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cd "$CHECKOUT"
[[ $CHECKOUT != *[[:space:]]* ]] || refuse "The path $CHECKOUT has white space: clone it elsewhere."
[[ -x /usr/bin/python3 ]] || refuse "There is no /usr/bin/python3: this needs Debian's python3 (apt-get install python3)."

# Settings may stand in .env; what is set outside it wins.
if [[ -f .env ]]; then
    outside=$(export -p)
    set -a
    # shellcheck source=/dev/null
    . ./.env
    set +a
    eval "$outside"
fi
[[ ${PANEL_RUNTIME:-} != rehearsal ]] || export PANEL_RUNTIME=dry-run # its former name
if [[ ${DRY_RUN:-} == 1 || ${REHEARSAL:-} == 1 ]]; then
    export PANEL_RUNTIME=dry-run PANEL_STATE_DIR=${PANEL_STATE_DIR:-$CHECKOUT/var-dry-run}
    ((EUID == 0)) || export PANEL_RUN_DIR=${PANEL_RUN_DIR:-${XDG_RUNTIME_DIR:-$PANEL_STATE_DIR/run}/panel}
fi

# The node's half of the settings is read in one place.
{ read -r STATE; read -r VZ; read -r ETC; read -r RUN; read -r INSTANCE; read -r NODE; } < <(
    /usr/bin/python3 -c '
import sys
from containers.node import conf
from containers.node.errors import OperationError
try:
    c = conf.load()
except OperationError as error:
    sys.exit(f"{error}")
print(c.state, c.vz, c.etc, c.run, c.instance, c.name, sep="\n")'
) || refuse "The settings cannot be read."

export PANEL_STATE_DIR=$STATE PANEL_VZ_DIR=$VZ PANEL_VZ_CONF_DIR=$ETC PANEL_NODE=$NODE
export PANEL_RUN_DIR=${RUN%/*} # a script that runs as another user finds the same one
export PANEL_HTTP=${PANEL_HTTP:-127.0.0.1:8000}
PYTHON=$CHECKOUT/.venv/bin/python
PANEL_USER=panel
export CHECKOUT STATE VZ ETC RUN INSTANCE NODE PYTHON PANEL_USER
unset PYTHONDONTWRITEBYTECODE
