# Everything that a person does with this project. Each target sets up what it needs.
#   make run     set up, and start: mail is collected and the pages are served until Ctrl-C
#   make demo    the same for a demonstration shop that lives: letters keep coming
#   make test    set up, and run every test: on SQLite, and what uses a database on PostgreSQL too
#   make check   format, lint, types, import contracts, migrations, lock, docs
#   make chaos   thousands of trials under every fault, in parts; goes on where it was
#   make shots   screenshots of every page, in shots/
#   make bench   messages per second beside other programs, on the same mail, within 15 minutes
#   make bench-full  the same with all of it, in parts of less than an hour; goes on where it was
#   make setup   the environment in .venv, nothing else

PYTHON ?= python3
BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv
UV_VERSION := 0.13.9
# Of the tests: one more than processors, because many wait for processes and clocks. The trials are
# processes side by side anyway, and come alone; not where only some tests are asked for.
WORKERS ?= $(shell expr $$(nproc) + 1)
TESTS ?= tests
NO_DATABASE := wire demo servers browser bench test_docs.py test_layout.py test_translations.py \
	bad_input/test_server.py bad_input/test_certificate.py
TRIALS := $(if $(filter tests,$(TESTS)),tests/chaos/test_subset.py)

# Compiled once here, not anew by each of the many commands that people and tests start.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo chaos test test-sqlite test-postgresql check bench bench-full shots messages setup \
	setup-dev system-test system-browser system-bench docs format
.DEFAULT_GOAL := run

run: setup
	$(BIN)/buzon up

# A data folder of its own: the demonstration begins anew at each start.
demo: setup
	BUZON_DATA_DIR="$${BUZON_DATA_DIR:-var/demo}" $(BIN)/buzon up --demo

test: setup-dev system-test system-browser test-sqlite test-postgresql

test-sqlite: setup-dev
	TESTS_DATABASE=sqlite $(BIN)/pytest -n $(WORKERS) --dist worksteal $(TESTS) $(TRIALS:%=--ignore=%)
	$(TRIALS:%=TESTS_DATABASE=sqlite $(BIN)/pytest %)

# Everything that a database can make a difference to: the wire, the small mail server and the tests
# about the files here know of none, what measures has its own, and what a browser does was seen on
# the other one.
test-postgresql: setup-dev
	TESTS_DATABASE=postgresql $(BIN)/pytest -n $(WORKERS) --dist worksteal $(TESTS) $(TRIALS:%=--ignore=%) \
		$(addprefix --ignore=tests/,$(NO_DATABASE))
	$(TRIALS:%=TESTS_DATABASE=postgresql $(BIN)/pytest %)

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	BUZON_DATABASE_URL=sqlite:///:memory: DJANGO_SETTINGS_MODULE=buzon.config.settings \
		$(BIN)/django-admin makemigrations --check --dry-run
	$(UV) lock --check
	$(BIN)/pytest -q tests/test_docs.py tests/test_layout.py

# Both databases, each an hour at most; PARTS="cut lies" for some. Results: var/chaos.jsonl
chaos: setup-dev system-test
	$(BIN)/python -m tests.chaos $(PARTS) --database sqlite
	$(BIN)/python -m tests.chaos $(PARTS) --database postgresql

bench: setup-dev system-bench
	$(BIN)/python -m bench.full --quick --minutes 14

# PARTS="custody far" for some of them. Results: var/bench.jsonl
bench-full: setup-dev system-bench
	$(BIN)/python -m bench.full $(PARTS)

shots: setup-dev system-browser
	$(BIN)/python -m tools.shots

# Finds every sentence of the code and the pages; `python -m tools.messages missing` says what has
# no Spanish yet.
messages: setup-dev
	$(BIN)/python -m tools.messages update

docs: setup
	$(BIN)/python -m buzon.config.settings_page > docs/settings.md

format: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(BIN)/uv
	@$(UV) sync --quiet --frozen --inexact --no-dev

setup-dev: $(BIN)/uv
	@$(UV) sync --quiet --frozen --inexact

# uv keeps the lock; it lives in the environment itself, so that nothing else is needed.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Buzón needs Python 3.11 or later: $$($(PYTHON) --version) is too old." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory apt PACKAGES=python3-venv
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

system-test:
	@{ test -x /usr/sbin/dovecot && test -d /usr/lib/dovecot/modules \
		&& test -e /usr/lib/dovecot/imap && test -e /usr/lib/dovecot/pop3 \
		&& ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; } \
		|| $(MAKE) --no-print-directory apt PACKAGES="dovecot-imapd dovecot-pop3d postgresql"

# Where Debian's chromium is not to be had, the tests in a browser say so and are skipped.
system-browser:
	@command -v chromium >/dev/null || $(MAKE) --no-print-directory apt PACKAGES=chromium \
		|| echo "Without chromium the tests in a browser are skipped." >&2

system-bench: system-test
	@{ command -v mbsync && command -v mpop; } >/dev/null \
		|| $(MAKE) --no-print-directory apt PACKAGES="isync mpop"

# Debian's packages, for what Python's do not have. Asks for root only where something is missing.
.PHONY: apt
apt:
	@echo "Installing from Debian: $(PACKAGES)"
	@sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
	{ command -v apt-get >/dev/null && { test -z "$$sudo" || command -v sudo >/dev/null; }; } || { \
		echo "Install these packages and call make again: $(PACKAGES)" >&2; exit 2; }; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null
