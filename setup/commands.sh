#!/usr/bin/env bash
# pctl and its like, wherever one types them: commands.sh plan|apply|remove
. "$(dirname "$0")/where.sh"
places=/usr/local/sbin
declare -A starts=(
    [pctl]="containers.commands.pctl"
    [osctl]="containers.commands.osctl"
    [osctlpsc]="containers.commands.osctl psc"
    [vzcptcheck]="containers.commands.vzcptcheck"
    [ctshare]="containers.node.share"
)

launcher() { # NAME
    local setting
    echo "#!/bin/sh"
    echo "# $1 of the panel in $CHECKOUT; made by its set-up, with the settings of then"
    # shellcheck disable=SC2016
    echo 'if [ -z "${PANEL_STATE_DIR+set}" ]; then'
    for setting in PANEL_{STATE_DIR,VZ_DIR,VZ_CONF_DIR,OPENVZ_DIR,RUN_DIR,NODE,DATABASE_URL,REDIS_URL,RUNTIME,CRIU} \
        PANEL_{HTTP,ALLOWED_HOSTS,SECURE,TIME_ZONE,UNDO_DAYS}; do
        [[ ! -v $setting ]] || echo "    export $setting=${!setting@Q}"
    done
    echo "fi"
    # -P: the folder one types it in is nobody's place to import from.
    echo "PYTHONPATH=$CHECKOUT exec $PYTHON -P -m ${starts[$1]} \"\$@\""
}

# A dry run's are found where they are only: it changes nothing outside of its state.
linked() { ((EUID == 0)) && [[ ${PANEL_RUNTIME:-} != dry-run ]]; }

free() { # NAME: nothing there, ours, that of a panel that is gone, or one that is to be taken over
    local there
    [[ -e $places/$1 || -L $places/$1 ]] || return 0
    there=$(readlink "$places/$1") || return 1
    [[ $there == "$STATE/bin/$1" || ($there == */bin/"$1" && ! -e $there) ]] ||
        { [[ ${TAKE_COMMANDS:-} == 1 ]] && grep -qs "^# $1 of the panel in " "$there"; }
}

# Once, before the first of them; without a terminal they stay, and that is said at the end.
ask_for_them() {
    local answer=''
    [[ ! ${TAKE_COMMANDS+set} ]] || return 0
    TAKE_COMMANDS=0
    if ! linked || free pctl || [[ ! -L $places/pctl ]]; then return 0; fi
    if [[ -t 0 && -t 2 ]]; then
        read -rp "$places/pctl is the command of another panel, $(owner pctl). Take it over for this one ($STATE)? [y/N] " answer || answer=
    fi
    [[ $answer != [yY]* ]] || TAKE_COMMANDS=1
}
owner() { # NAME
    local there
    there=$(readlink "$places/$1") || there=$places/$1
    say "${there%/bin/*}"
}
left=()

[[ $1 != apply ]] || ask_for_them
for name in $(printf '%s\n' "${!starts[@]}" | sort); do
    case $1 in
    plan)
        if ! linked; then say "command: $STATE/bin/$name"
        elif free "$name"; then say "command: $places/$name -> $STATE/bin/$name"
        else say "command: $STATE/bin/$name ($places/$name belongs to $(owner "$name") and is left alone; TAKE_COMMANDS=1 takes it over)"; fi
        ;;
    apply)
        mkdir -p "$STATE/bin"
        if ! cmp -s <(launcher "$name") "$STATE/bin/$name"; then
            launcher "$name" >"$STATE/bin/.new"
            chmod 750 "$STATE/bin/.new" # a database's address may hold its password
            mv "$STATE/bin/.new" "$STATE/bin/$name"
        fi
        if ! linked; then continue; fi
        if [[ -L $places/$name && $(readlink "$places/$name") == "$STATE/bin/$name" ]]; then :
        elif free "$name"; then ln -sfn "$STATE/bin/$name" "$places/$name"
        else left+=("$name"); fi
        ;;
    remove)
        if [[ $(readlink "$places/$name") == "$STATE/bin/$name" ]]; then
            rm "$places/$name"
            say "removed $places/$name"
        fi
        ;;
    esac
done
if ((${#left[@]})); then
    say "ATTENTION: ${left[*]} in $places belong to $(owner "${left[0]}"), not to this panel ($STATE)."
    say "  What is typed there is done by that one. This panel's commands are in $STATE/bin;"
    say "  make setup TAKE_COMMANDS=1 takes them over."
fi
