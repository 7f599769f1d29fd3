# make setup   packages, CRIU, virtual environment, front end: what the rest needs
# make run     the panel, in the foreground     PLAN=1 tells what it would change; DEMO=0; DRY_RUN=1
# make remove  takes back what run changed      YES=1 asks nothing
# make test    every test                       TESTS="tests/node -k password" for some
# make check   linters, types, import rules, migrations, shellcheck

.PHONY: setup run remove test test-long check bench format lock

setup:
	@setup/setup.sh apply run

run:
	@setup/run.sh

remove:
	@setup/remove.sh

test:
	@setup/setup.sh apply test
	@setup/test.sh -n 2 --dist loadgroup -m "not long" $(TESTS)

test-long:
	@setup/setup.sh apply test
	@setup/test.sh --timeout 3600 -m long $(TESTS)

check:
	@setup/setup.sh apply check
	@setup/check.sh

bench:
	@setup/setup.sh apply test
	@.venv/bin/python -m bench

format:
	@setup/setup.sh apply check
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .
	@git ls-files -co --exclude-standard 'templates/*.html' | xargs -r .venv/bin/djade --target-version 5.2

lock:
	@setup/lock.sh
