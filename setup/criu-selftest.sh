#!/usr/bin/env bash
# Whether a CRIU works on this kernel: criu-selftest.sh CRIU. `criu check` does not tell.
# Dumps a process that listens on TCP, restores it and connects to it; says why it failed.
set -euo pipefail
criu=$1
work=$(mktemp -d /var/tmp/panel-criu-selftest.XXXXXX)
pid=
finish() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

fail() { # WHAT LOG
    local said
    # It goes on after the first of these; the others come after the error that counts.
    said=$(grep -oE 'Error \(.*' "$2" | grep -vE 'RLIMIT_NOFILE|FAILED' | head -n 1) || true
    printf '%s\n' "$1: ${said:-it wrote no error}"
    exit 1
}

# Its own session, and none of the descriptors we were given: CRIU dumps all of it or nothing.
setsid /usr/bin/python3 -c '
import os, socket, sys, time
os.closerange(3, 4096)
listener = socket.create_server(("127.0.0.1", 0))
with open(f"{sys.argv[1]}/new", "w") as file:
    file.write(f"{os.getpid()} {listener.getsockname()[1]}")
os.rename(f"{sys.argv[1]}/new", f"{sys.argv[1]}/ready")
os.chdir("/")
time.sleep(600)' "$work" </dev/null >/dev/null 2>&1 &
disown # or bash tells of its end
for _ in {1..100}; do
    [[ ! -s $work/ready ]] || break
    sleep 0.05
done
read -r pid port <"$work/ready" || [[ $port ]]

mkdir "$work/images"
timeout 30 "$criu" dump --tree "$pid" --images-dir "$work/images" --log-file "$work/dump.log" \
    >/dev/null 2>&1 || fail "a dump fails" "$work/dump.log"
timeout 30 "$criu" restore --restore-detached --images-dir "$work/images" --log-file "$work/restore.log" \
    </dev/null >/dev/null 2>&1 || fail "a restore fails" "$work/restore.log"
(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || fail "a restored server does not answer" /dev/null
