# CodePush Console. `make help` lists the commands; docs/operations.md tells what the environment can set.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
HOST ?= 127.0.0.1
PORT ?= 8000
DEMO ?= 1
WEB_CONCURRENCY ?= 1
# Processes that share the suite.
JOBS ?= 2
# Of its own, because honcho gives each process another PORT.
LOCAL_URL := http://$(HOST):$(PORT)
export PYTHON HOST PORT WEB_CONCURRENCY LOCAL_URL

.PHONY: help run test check bench screenshots fuzz drills audit openapi lock clean

help: ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

run: .venv/installed ## Start web, workers and beat, with a demo project (DEMO=0: empty). HOST, PORT
	@$(PYTHON) manage.py prepare --demo=$(DEMO)
	echo "Open $(LOCAL_URL)/"
	processes="web worker numbers hooks beat"
	if [ "$(DEMO)" = 1 ]; then processes="$$processes fleet"; fi
	# Ctrl-C is the way to stop it, not a failure.
	.venv/bin/honcho start --no-prefix $$processes || test $$? -eq 130

test: .venv/installed-dev ## Run the whole suite in JOBS processes (DATABASE_URL, REDIS_URL: on those instead of the embedded defaults)
	@if command -v npm >/dev/null; then for package in tests/sdk tests/browser; do (cd $$package && npm ci --silent --no-audit --no-fund); done; fi
	.venv/bin/pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder $(ARGS)

check: .venv/installed-dev ## Lint, types, import contract, migrations, deployment settings
	@.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports --no-logo
	$(PYTHON) manage.py makemigrations --check --dry-run
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))') PUBLIC_URL=https://codepush.example \
	  $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: .venv/installed-dev ## Measure requests and processing (DATABASE_URL: a scratch PostgreSQL for aggregation; BENCH_LARGE=1)
	@$(PYTHON) -m tests.bench

screenshots: .venv/installed-dev ## Write pictures of the pages to var/screenshots, and those that the README shows
	@(cd tests/browser && npm ci --silent --no-audit --no-fund)
	mkdir -p var/screenshots docs/screenshots
	SCREENSHOTS_DIR=$(CURDIR)/var/screenshots README_PICTURES=$(CURDIR)/docs/screenshots \
	  .venv/bin/pytest -q tests/browser/test_screens.py tests/browser/test_dialog_screens.py $(ARGS)

fuzz: .venv/installed-dev ## Try the release API against its own document for minutes, with other values at each run
	@SCHEMA_EXAMPLES=300 .venv/bin/pytest --timeout 1800 tests/flows/test_release_api.py -k document

drills: .venv/installed-dev ## Kill, fill and stop what the product stands on, under load; a table says what held (ARGS: words to choose by)
	@$(PYTHON) -m tests.drills $(ARGS)

audit: .venv/installed-dev ## Look up known weaknesses of the locked packages (asks pypi.org and api.osv.dev)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check pip-audit
	.venv/bin/pip-audit --require-hashes --disable-pip -r requirements.txt

openapi: .venv/installed-dev ## Write docs/openapi.json anew
	@$(PYTHON) -m tests.release_api.document

lock: .venv/installed-dev ## Write requirements*.txt anew from requirements*.in
	@lock() {
	  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-find-links \
	    --no-emit-index-url --custom-compile-command "make lock" "$$@"
	}
	lock requirements.in --output-file requirements.txt
	lock --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt

clean: ## Remove the virtual environment and all local data
	@rm -rf .venv var tests/sdk/node_modules tests/browser/node_modules

.venv/bin/python:
	@python3.11 -m venv .venv 2>/dev/null || python3 -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	@echo "Installing packages (this once)…"
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	@echo "Installing packages (this once)…"
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@ .venv/installed
