# Two commands do everything: `make demo` and `make test`. Nothing else needs installing by hand.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# One more than there are cores: many tests wait for processes that they started.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Whom this machine trusts: a company's registry may have a certificate of the company's own.
export UV_SYSTEM_CERTS ?= 1
.DEFAULT_GOAL := help

.PHONY: help install demo run test lint bench faults fuzz format openapi

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## install everything into .venv

# uv comes into the project's own venv, so that no tool has to be there before.
$(VENV)/.installed: pyproject.toml uv.lock
	@command -v python3 >/dev/null || { echo "Python 3.11 or newer is needed: apt install python3 python3-venv"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$(python3 -V)"; exit 1; }
	@test -x $(BIN)/python || python3 -m venv $(VENV) || { echo "python3-venv is missing: apt install python3-venv"; exit 1; }
	@test -x $(UV) || $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'
	@$(UV) sync --locked --inexact --quiet
	@touch $@

demo: install ## a sample team, checked, then live until Ctrl-C (DEMO_ONCE=1: stop after the tree)
	@exec $(BIN)/python -m examples.demo

run: install ## start an empty service
	@exec $(BIN)/python -m app serve

format: install ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: install ## format check, lint, types, import contracts, dependencies, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy app tests
	$(BIN)/lint-imports
	$(BIN)/deptry app
	$(BIN)/deptry examples tests tools --exclude '[.]venv' --ignore DEP002,DEP004
	$(BIN)/codespell

test: lint ## run every test
	$(BIN)/pytest -n $(WORKERS) -m 'not faults'

faults: install ## break it for three quarters of an hour on both engines; prints what was lost: nothing
	@$(BIN)/pytest tests/store -q -m faults --timeout 600
	@$(BIN)/pytest tests/faults -q -p no:randomly --timeout 600 -k 'not short'

fuzz: install ## mutate requests to every adapter for MINUTES (5); prints what was found: none
	@$(BIN)/python -m tests.intake.fuzzing --minutes $(or $(MINUTES),5)

bench: install ## measure against the budgets and print the table (STRICT=--strict: fail when missed)
	@$(BIN)/python -m tests.bench $(STRICT)

openapi: install ## write the examples, openapi/openapi.json and docs/settings.md from the code
	@mkdir -p openapi docs
	@$(BIN)/python -m tests.web.examples > app/web/examples.json.new
	@mv app/web/examples.json.new app/web/examples.json
	@$(BIN)/python -m app openapi > openapi/openapi.json
	@$(BIN)/python -m app settings > docs/settings.md
