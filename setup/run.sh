#!/usr/bin/env bash
# The panel in the foreground: `make run`. Settings are environment variables; see the README.
#   PLAN=1        tells what it would change and changes nothing
#   DEMO=0        no sample containers and people on an empty database
#   DRY_RUN=1   no root and no containers: commands are only shown
. "$(dirname "$0")/where.sh"
[[ ${PLAN:-} != 1 ]] || exec setup/plan.sh
host=${PANEL_HTTP%:*} port=${PANEL_HTTP##*:}

main() {
    allowed
    setup/setup.sh apply run
    [[ ${PANEL_RUNTIME:-} == dry-run ]] || /usr/bin/python3 -B -m containers.node.runtimes.advisories
    setup/run-folder.sh
    only_one
    port_free
    without_lock "$PYTHON" manage.py prepare
    [[ ${DEMO:-} == 0 ]] || without_lock "$PYTHON" manage.py demo
    serve
}

allowed() {
    ((EUID == 0)) || [[ ${PANEL_RUNTIME:-} == dry-run ]] || refuse \
        "Containers need root: run this as root (sudo make run).
To look at the panel without root and without containers: make run DRY_RUN=1"
}

port_free() {
    ! (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null || refuse \
        "Something listens on $PANEL_HTTP already. If that is not this panel: make run PANEL_HTTP=127.0.0.1:8001"
}

only_one() {
    exec {lock}>"$RUN/make-run.lock"
    flock --nonblock "$lock" || refuse "This panel runs already (make run in another terminal; state: $STATE)."
}

# Containers' monitors outlive this, and none may hold the lock: it stays with this shell.
without_lock() { "$@" {lock}>&-; }

# In a session of its own: what the terminal sends goes to this shell, and honcho stops all it
# started before the terminal is gone.
serve() {
    local honcho code=0 processes=(node web)
    [[ ${PANEL_REDIS_URL:-} ]] || processes+=(redis)
    # A shell without job control lets its children ignore signals; scripts must not inherit that.
    env --default-signal setsid .venv/bin/honcho --env /dev/null start "${processes[@]}" {lock}>&- &
    honcho=$!
    trap 'kill -TERM "$honcho" 2>/dev/null' INT TERM HUP
    tell_when_it_answers "$honcho" {lock}>&- &
    # A trapped signal ends a wait early.
    while kill -0 "$honcho" 2>/dev/null; do
        code=0
        wait "$honcho" || code=$?
    done
    ((code < 128)) || code=0
    ((!code)) || say "One of the panel's processes ended, so the others were stopped. See the output above and $STATE/redis/redis.log."
    say "Stopped. Running containers keep running, and make run manages them again."
    return "$code"
}

tell_when_it_answers() { # PID
    while kill -0 "$1" 2>/dev/null; do
        sleep 0.3
        if answers; then
            say ""
            say "The panel is at http://$PANEL_HTTP/"
            say "From your own machine: ssh -L $port:$host:$port root@$(hostname -f 2>/dev/null || hostname), then http://127.0.0.1:$port/"
            [[ ${PANEL_RUNTIME:-} != dry-run ]] || say "A dry run: no container is touched. Its pctl is $STATE/bin/pctl"
            say "Ctrl-C stops it."
            return
        fi
    done
}
answers() {
    /usr/bin/python3 -c '
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], timeout=2)
connection.request("HEAD", "/")
sys.exit(connection.getresponse().status >= 500)' "$PANEL_HTTP" 2>/dev/null
}

main
