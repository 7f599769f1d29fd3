#!/usr/bin/env bash
# The system user of everything that need not be root: user.sh plan|apply
. "$(dirname "$0")/where.sh"
((EUID == 0)) || exit 0

case $1 in
plan)
    if id "$PANEL_USER" &>/dev/null; then
        say "user: $PANEL_USER is there"
    else
        say "user: $PANEL_USER, a system user without a login shell, home $STATE/web"
    fi
    say "folders: $STATE (root), $STATE/web and $STATE/redis ($PANEL_USER), $RUN (until the next reboot)"
    ;;
apply)
    mkdir -p "$STATE"
    if ! id "$PANEL_USER" &>/dev/null; then
        useradd --system --user-group --home-dir "$STATE/web" --no-create-home --shell /usr/sbin/nologin "$PANEL_USER"
        touch "$STATE/made-user" # make remove may name the command that deletes it
    fi
    install -d -m 0700 -o "$PANEL_USER" -g "$PANEL_USER" "$STATE/web" "$STATE/redis"
    ;;
esac
