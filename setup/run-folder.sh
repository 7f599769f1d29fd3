#!/usr/bin/env bash
# <run>, which is gone after a reboot, and in it the place of the private Redis's socket.
. "$(dirname "$0")/where.sh"
mkdir -p "$RUN"
if ((EUID == 0)); then
    chmod 711 "$(dirname "$RUN")" "$RUN"
    install -d -m 0700 -o "$PANEL_USER" -g "$PANEL_USER" "$RUN/redis"
else
    mkdir -p "$STATE/web" "$STATE/redis" "$RUN/redis"
fi
# Redis makes its socket in a folder of its own user's; everybody knows this path.
ln -sfn redis/redis.sock "$RUN/redis.sock"
