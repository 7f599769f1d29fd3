#!/usr/bin/env bash
# Gathers what the web process serves as files, into <state>/web/static: static.sh plan|apply
. "$(dirname "$0")/where.sh"
collected=$STATE/static-collected
current() { [[ -z $(find requirements.txt panel/settings.py static/dist -newer "$collected" -print -quit 2>&1) ]]; }

case $1 in
plan) current || say "static files: $STATE/web/static" ;;
apply)
    ! current || exit 0
    mkdir -p "$STATE/web"
    # As its owner: root writes nothing in a folder that is another's to shape.
    setup/as-panel.sh .venv/bin/python manage.py collectstatic --noinput --verbosity 0
    touch "$collected"
    ;;
esac
