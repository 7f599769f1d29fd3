#!/usr/bin/env bash
# Runs a command as the system user panel: as-panel.sh COMMAND [ARGUMENT...]
# It replaces itself by the command, so that signals reach that. Without root: as whoever one is.
. "$(dirname "$0")/where.sh"
((EUID == 0)) || exec "$@"
drop=(setpriv --reuid "$PANEL_USER" --regid "$PANEL_USER" --init-groups --inh-caps=-all --no-new-privs)

main() {
    if [[ $1 == --in-own-mounts ]]; then
        shift
        open_the_way
        reachable || refuse "The user $PANEL_USER may not read $CHECKOUT or enter $STATE: chmod -R go+rX $CHECKOUT, or clone it with umask 022."
    elif ! reachable; then
        exec unshare --mount --propagation slave -- "$CHECKOUT/setup/as-panel.sh" --in-own-mounts "$@"
    fi
    cd "$CHECKOUT"
    exec "${drop[@]}" env HOME="$STATE/web" USER="$PANEL_USER" LOGNAME="$PANEL_USER" "$@"
}

reachable() { may -r "$CHECKOUT/manage.py" && may -x "$STATE/web"; }
may() { "${drop[@]}" test "$@" 2>/dev/null; }

# Below /root, say, the user reaches neither checkout nor state. In mounts of this process's own
# the folder that bars the way is an empty one, with only the checkout (read-only) and the state
# in it, at the paths they always have: the instance's name and its settings hold those paths.
open_the_way() {
    local path
    local -A barred=()
    # A pool mounted in here would stay busy after it was unmounted outside.
    ! mountpoint --quiet "$VZ" || umount --lazy "$VZ"
    mkdir -p "$RUN/checkout" "$RUN/state"
    mount --bind "$CHECKOUT" "$RUN/checkout"
    mount --bind "$STATE" "$RUN/state"
    for path in $(first_barred "$CHECKOUT") $(first_barred "$STATE"); do
        barred[$path]=1
    done
    for path in "${!barred[@]}"; do
        mount -t tmpfs -o mode=0755,size=1m panel "$path"
    done
    mkdir -p "$CHECKOUT"
    mount --bind "$RUN/checkout" "$CHECKOUT"
    mount -o remount,bind,ro "$CHECKOUT"
    mkdir -p "$STATE"
    mount --bind "$RUN/state" "$STATE"
    umount "$RUN/checkout" "$RUN/state"
}

first_barred() { # PATH: the first folder above it that the user may not enter, if any
    local above='' name
    local -a names
    IFS=/ read -ra names <<<"${1#/}"
    for name in "${names[@]::${#names[@]}-1}"; do
        above+=/$name
        may -x "$above" || { say "$above"; return; }
    done
}

main "$@"
