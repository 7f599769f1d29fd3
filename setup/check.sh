#!/usr/bin/env bash
# Reads the code with every tool that has an opinion of it: `make check`.
. "$(dirname "$0")/where.sh"
PATH=$CHECKOUT/.venv/bin:$PATH
failed=()

check() { # NAME COMMAND...
    local name=$1
    shift
    say "== $name"
    "$@" || failed+=("$name")
}
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

mapfile -t templates < <(files 'templates/*.html')
mapfile -t shells < <(files '*.sh' '.ci/run' 'containers/node/samples/*')
mapfile -t shells < <(grep -lE '^#!.*/(ba|da|)sh\b|^# shellcheck shell=' -- "${shells[@]}")

check "ruff check" ruff check .
check "ruff format" ruff format --check .
if ((${#templates[@]})); then
    check "djade" djade --check --target-version 5.2 "${templates[@]}"
    check "djlint" djlint --lint --quiet "${templates[@]}"
fi
check "import-linter" lint-imports
check "mypy" mypy
check "migrations" python manage.py makemigrations --check --dry-run
check "shellcheck" shellcheck --exclude SC1090 "${shells[@]}" # what scripts source is not there yet

((!${#failed[@]})) || refuse "make check failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
say "make check: all checks passed"
