# The commands of the repository. Each sets up .venv first (once). PORT moves the local Airflow: make up PORT=9000
# KAFKA=real runs a real broker (Java 17 and Maven are needed) instead of the mock cluster: make up KAFKA=real
PYTHON := .venv/bin/python
# Python keeps what it has compiled: many processes import the same modules, and would each compile them again.
export PYTHONDONTWRITEBYTECODE :=

# More workers than cores: while some tests wait for the stack, others use the cores.
WORKERS := 5

.PHONY: help setup up down status token seed export demo unit unit-service unit-others test times soak bench bench-quick screenshots images lint docs lock ranges

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

setup: ## set up .venv with the locked dependencies
	@sh local/setup.sh

up: setup ## start the local stack in the background and wait until it is ready
	@$(PYTHON) -m local up

down: setup ## stop the local stack
	@$(PYTHON) -m local down

status: setup ## which components run
	@$(PYTHON) -m local status

token: setup ## a token of the local admin user
	@$(PYTHON) -m local token

seed: setup ## load a registry file into the stack: make seed FILE=registry.yaml
	@$(PYTHON) -m local seed "$(FILE)"

export: setup ## write the stack's registry to a file: make export FILE=registry.yaml
	@$(PYTHON) -m local export "$(FILE)"

demo: setup ## an upgrade on the demo fleet, from create to COMPLETED; FAULT=help lists faults to rehearse
	@$(PYTHON) -m local demo

# Two runs side by side: with workers of one run, each worker would collect all tests, which doubles the time.
unit: setup ## the tests that need no server
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit-service unit-others

unit-service:
	@EFFORT=edit $(PYTHON) -m pytest -q tests/unit/service

unit-others:
	@EFFORT=edit $(PYTHON) -m pytest -q tests/unit --ignore=tests/unit/service

test: setup ## the whole test suite; WORKERS=1 runs one test after the other
	@$(PYTHON) -m pytest -n $(WORKERS)

times: setup ## the whole test suite, and where its time goes
	@$(PYTHON) -m pytest -n $(WORKERS) -p tests.times

soak: setup ## the random and long tests, for MINUTES (30) and from SEED: make soak SEED=1 MINUTES=5 ONLY=kills:7
	@$(PYTHON) -m pytest tests/soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

bench: setup ## the measurements, all or some: make bench WHAT="rolling many"
	@$(PYTHON) -m bench $(WHAT)

bench-quick: setup ## four minutes of them, and a line for docs/performance.md; CHECK=1 compares it with the last line there
	@$(PYTHON) -m bench quick $(if $(CHECK),--check docs/performance.md)

screenshots: setup ## pictures of the status view's pages in every state, into OUT (.local/screenshots); ONLY=list for some
	@PYTHONPATH=.:include $(PYTHON) -m tests.browser.screenshots $(or $(OUT),.local/screenshots) $(ONLY)

images: setup ## docs/images/ from the real pages, light and dark; starts a stack
	@UPDATE_SCREENSHOTS=1 $(PYTHON) -m pytest -q tests/e2e/pages/test_view_pages.py -k "accessible"

lint: setup ## style, types and import layers
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@PYTHONPATH=.:include .venv/bin/lint-imports

docs: setup ## docs/api.md, docs/events.md and docs/events/ from the code
	@$(PYTHON) -m local.docs.api
	@$(PYTHON) -m local.docs.events

# Versions already in the locks stay, also where the ranges allow newer ones: make lock LOCK=--upgrade takes those.
# UV names the uv to use (pip install uv, into any environment).
UV := uv
COMPILE := $(UV) pip compile $(LOCK) --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
lock: ## requirements.lock and requirements-dev.lock from requirements.txt and requirements-dev.txt; needs uv
	@$(COMPILE) requirements.txt --output-file requirements.lock
	@$(COMPILE) requirements-dev.txt --output-file requirements-dev.lock

ranges: ## import every module and run make unit with the lowest and the newest version of each requirement; needs uv. CONSTRAINTS=FILE: beside those as well
	@UV="$(UV)" CONSTRAINTS="$(CONSTRAINTS)" sh local/ranges.sh
