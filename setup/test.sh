#!/usr/bin/env bash
# pytest, and its exit code: test.sh [pytest's arguments]. No tests at all (5) is a failure too.
. "$(dirname "$0")/where.sh"
# A test makes its own state; what make run uses is none of its business.
unset PANEL_STATE_DIR PANEL_VZ_DIR PANEL_VZ_CONF_DIR PANEL_OPENVZ_DIR PANEL_RUN_DIR PANEL_NODE PANEL_HTTP PANEL_RUNTIME
unset PANEL_DATABASE_URL PANEL_REDIS_URL PANEL_ALLOWED_HOSTS
exec "$PYTHON" -m pytest "$@"
