#!/usr/bin/env bash
# The panel's own Redis: a socket, no port, nothing on disk. It only carries hints.
. "$(dirname "$0")/where.sh"
exec redis-server --port 0 --unixsocket "$RUN/redis/redis.sock" --unixsocketperm 700 \
    --dir "$STATE/redis" --save "" --appendonly no --daemonize no \
    --loglevel warning --logfile "$STATE/redis/redis.log"
