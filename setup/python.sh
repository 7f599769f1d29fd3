#!/usr/bin/env bash
# The virtual environment on the system's Python: python.sh plan|apply run|dev|node
. "$(dirname "$0")/where.sh"
declare -A lock=([run]=requirements.txt [dev]=requirements-dev.txt [node]=requirements-node.txt)
list=${lock[$2]}
installed=.venv/installed-$list

current() { usable && cmp -s "$list" "$installed"; }
# After an upgrade of Debian .venv/bin/python is another Python than the one it was made with.
usable() {
    local made=.venv/pyvenv.cfg
    [[ -f $made ]] && grep -qx "home = /usr/bin" "$made" &&
        grep -q "^version = $(system_version)\." "$made" && [[ -x $PYTHON ]]
}
system_version() { /usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

case $1 in
plan)
    if current; then
        say "Python packages of $list: all in $CHECKOUT/.venv"
    else
        say "Python packages, in $CHECKOUT/.venv only: $(grep -oE '^[a-z0-9][^ ]*' "$list" | paste -sd ' ')"
    fi
    ;;
apply)
    ! current || exit 0
    if ! usable; then
        rm -rf .venv
        /usr/bin/python3 -m venv .venv
    fi
    say "Installing the Python packages of $list"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$list"
    cp "$list" "$installed"
    [[ $2 != dev ]] || cp requirements.txt .venv/installed-requirements.txt # the same versions
    ;;
esac
