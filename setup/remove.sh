#!/usr/bin/env bash
# Takes back what `make run` changed outside of the state: `make remove`. YES=1 asks nothing.
. "$(dirname "$0")/where.sh"
((EUID == 0)) || refuse "Run this as root: sudo make remove"

main() {
    local place beside='' others
    others=$(/usr/bin/python3 -B -m containers.node.panels --others | paste -sd ' ')
    not_running
    end_containers
    /usr/bin/python3 -B -m containers.node.lxcfs --remove
    /usr/bin/python3 -B -m containers.node.ids --remove
    /usr/bin/python3 -B -m containers.node.network --remove
    /usr/bin/python3 -B -m containers.node.apparmor --remove
    /usr/bin/python3 -B -m containers.node.storage.pool --remove
    /usr/bin/python3 -B -m containers.node.kernel --remove
    setup/commands.sh remove
    remove_links
    remove_run_folder
    /usr/bin/python3 -B -m containers.node.panels --forget
    say "What stays: the containers' files and the database below $STATE and $VZ, $ETC/vz.conf, the user $PANEL_USER, Debian's packages."
    for place in "$VZ" "$ETC/vz.conf"; do
        [[ $place == "$STATE"/* ]] || beside+=" $place"
    done
    if [[ $others ]]; then
        bequeath "${others%% *}"
        say "Another panel of this machine ($others) needs the user $PANEL_USER and the packages."
        say "To delete the rest too: rm -rf $STATE$beside"
    else
        say "To delete them too: $(packages)$(user)rm -rf $STATE$beside"
    fi
}

# What set-up has brought, and nothing that was there before.
packages() {
    local found
    found=$(sort -u "$STATE/installed-packages" 2>/dev/null | paste -sd ' ') || true
    [[ ! $found ]] || printf 'apt-get remove %s; ' "$found"
}
user() { [[ ! -e $STATE/made-user ]] || printf 'userdel %s; ' "$PANEL_USER"; }

# The last panel that goes is to know what the first one has brought.
bequeath() { # STATE
    if [[ -s $STATE/installed-packages ]]; then
        cat "$STATE/installed-packages" >>"$1/installed-packages"
    fi
    [[ ! -e $STATE/made-user ]] || touch "$1/made-user"
}

not_running() {
    local lock
    for lock in "$RUN/make-run.lock" "$STATE"/node-*.lock; do
        [[ ! -e $lock ]] || flock --nonblock "$lock" true || refuse \
            "The panel runs: stop it first (Ctrl-C where make run is, or systemctl stop panel.target)."
    done
}

end_containers() {
    local running answer ctid
    mapfile -t running < <(find "$RUN/runc" -mindepth 2 -maxdepth 2 -name state.json -printf '%h\n' 2>/dev/null | xargs -rn1 basename | sort)
    ((${#running[@]})) || return 0
    if [[ ${YES:-} != 1 ]]; then
        say "These containers are running and will be stopped; their files stay: ${running[*]}"
        read -rp "Stop them and go on? [y/N] " answer || answer=
        [[ $answer == [yY]* ]] || refuse "Nothing was changed."
    fi
    for ctid in "${running[@]}"; do
        # With the settings of the last set-up, the node's name among them.
        env -u PANEL_STATE_DIR "$STATE/bin/pctl" stop "$ctid" || refuse "Container $ctid did not stop, so the rest stays as it is. If its stop script fails: pctl stop $ctid --without-stop-script --reason 'why', and then make remove again."
    done
}

remove_links() {
    local place link
    for link in "${PANEL_OPENVZ_DIR:-/etc/vz}"/conf/*.conf; do
        [[ $link == "$ETC"/* || $(readlink "$link") != "$VZ/private/"*/ve.conf ]] || rm "$link"
    done
    rmdir "${PANEL_OPENVZ_DIR:-/etc/vz}/conf" 2>/dev/null || true
    for place in /etc/vz/vz.conf /etc/sysconfig/vz; do
        if [[ $(readlink "$place") == "$ETC/vz.conf" ]]; then
            rm "$place"
            rmdir --ignore-fail-on-non-empty "$(dirname "$place")"
            say "removed $place"
        fi
    done
}

# The zygote and the monitors are gone with the node and the containers; their groups are empty.
remove_run_folder() {
    find /sys/fs/cgroup -depth -type d -path "*/panel/$INSTANCE*" -exec rmdir {} + 2>/dev/null || true
    rm -rf --one-file-system "$RUN"
    rmdir /run/panel 2>/dev/null || true
}

main
