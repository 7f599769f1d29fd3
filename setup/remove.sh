#!/usr/bin/env bash
# Takes back what `make run` changed outside of the state: `make remove`. YES=1 asks nothing.
. "$(dirname "$0")/where.sh"
((EUID == 0)) || refuse "Run this as root: sudo make remove"

main() {
    local packages place beside=''
    packages=$(sort -u "$STATE/installed-packages" 2>/dev/null | paste -sd ' ') || true
    not_running
    end_containers
    /usr/bin/python3 -B -m containers.node.network --remove
    /usr/bin/python3 -B -m containers.node.apparmor --remove
    /usr/bin/python3 -B -m containers.node.storage.pool --remove
    /usr/bin/python3 -B -m containers.node.kernel --remove
    setup/commands.sh remove
    remove_links
    remove_run_folder
    say "What stays: the containers' files and the database below $STATE and $VZ, $ETC/vz.conf, the ids reserved for those files in /etc/subuid and /etc/subgid, the user $PANEL_USER, Debian's packages."
    for place in "$VZ" "$ETC/vz.conf"; do
        [[ $place == "$STATE"/* ]] || beside+=" $place"
    done
    say "To delete them too: ${packages:+apt-get remove $packages; }userdel $PANEL_USER; rm -rf $STATE$beside"
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
        env -u PANEL_STATE_DIR "$STATE/bin/pctl" stop "$ctid" || refuse "Container $ctid did not stop, so the rest stays as it is: see what pctl stop $ctid says."
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
