# One file for people and for CI. `make help` lists what there is; every target sets itself up.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
UV := .uv/bin/uv
DATA ?= .local
ifeq ($(origin AS),default)
AS := # make's own name for the assembler is nobody's
endif
export DATA HOST PORT NOW AS SUBJECT AT NAME COURT CODE CLIENT ENTITY ZH SINCE
export PYTHONPATH := functions:tests:.

# ---- set-up, each once until its lock changes ----

.uv/.installed: requirements-uv.txt
	@test -n "$(PYTHON)" || { echo '!! Python 3.11 or newer is needed / 需要 Python 3.11 或更新版本' >&2; exit 1; }
	@$(PYTHON) infra/install.py uv
	@touch $@

.venv/.installed: requirements-dev.txt .uv/.installed
	@$(PYTHON) infra/install.py python
	@touch $@

node_modules/.installed: package-lock.json package.json
	@$(PYTHON) infra/install.py node
	@touch $@

.PHONY: setup
setup: .venv/.installed node_modules/.installed ## install everything into this folder (other targets do so themselves)

# ---- running ----

.PHONY: run url token ask sample upload clock court reconcile redrive verify
run: setup ## start everything here: API, GraphiQL, tables, queues (HOST= PORT= DATA= NOW=2026-03-02T09:00+08:00)
	@exec $(PY) -m infra.local.run

url: .venv/.installed ## the address of the running API
	@$(PY) -m infra.local.commands url

token: .venv/.installed ## a token for a day: make -s token AS=judge (who else: leave AS out; SUBJECT= for others)
	@$(PY) -m infra.local.commands token

ask: .venv/.installed ## one operation: make -s ask AS=judge OP=PlaceMealOrder VARS='{input: {...}}' (GET=path UNTIL=path=value IN=en)
	@$(PY) -m infra.local.ask ask

sample: .venv/.installed ## a canteen's weekly menu as a spreadsheet: make -s sample WEEK=2026-03-09 FILE=menu.xlsx (SLIP=yes: with a slip)
	@$(PY) -m infra.demo.week_sheet

upload: .venv/.installed ## hand a spreadsheet in: make -s upload AS=kitchen CANTEEN=... PORTIONS=60 FILE=menu.xlsx (top-ups: AS=finance FILE=...)
	@$(PY) -m infra.local.ask upload

clock: .venv/.installed ## show the clock of `make run`, or move it forward: make clock AT=2026-03-02T09:30+08:00
	@$(PY) -m infra.local.commands clock

court: .venv/.installed ## a new court with its first administrator: make court NAME=东江市中级人民法院
	@$(PY) -m infra.local.commands court

reconcile: .venv/.installed ## prove that every balance is the sum of its movements (COURT=)
	@$(PY) -m infra.local.commands reconcile

redrive: .venv/.installed ## try dead letters again: what failed in all its attempts
	@$(PY) -m infra.local.commands redrive

verify: .venv/.installed ## prove that the journal is what was sealed (COURT= SINCE=2026-03-02)
	@$(PY) -m infra.local.commands verify

# ---- proving ----

.PHONY: test check
test: setup ## all tests (ARGS= is handed to pytest)
	@echo '== tests'
	@$(PY) -m pytest -p no:cacheprovider $(ARGS)

check: setup ## style, types, imports, contracts and the template
	@failed=; try() { name=$$1; shift; echo "== $$name"; "$$@" || failed="$$failed $$name"; }; \
	try ruff       .venv/bin/ruff check -q functions tests infra; \
	try format     .venv/bin/ruff format -q --check functions tests infra; \
	try types      .venv/bin/mypy --no-error-summary; \
	try imports    $(PY) -m infra.walls; \
	try schemas    $(PY) -m infra.schemas; \
	try template   .venv/bin/cfn-lint template.yaml --regions $(REGIONS); \
	try rules      $(PY) -m infra.rules; \
	try SDL        $(PY) -m infra.sdl --check; \
	try operations $(PY) -m infra.operations --check; \
	test -z "$$failed" || { echo "!! not in order:$$failed" >&2; exit 1; }

# ---- making ----

.PHONY: fmt sdl operations lock new-module
fmt: .venv/.installed ## format and mend what ruff can mend
	@.venv/bin/ruff format -q functions tests infra
	@.venv/bin/ruff check -q --fix functions tests infra

sdl: .venv/.installed ## write graphql/schema.graphql from the code
	@$(PY) -m infra.sdl

operations: .venv/.installed ## write graphql/operations/manifest.json, the list of trusted documents
	@$(PY) -m infra.operations

COMPILE = $(UV) pip compile -q --universal --generate-hashes --no-header pyproject.toml
lock: .uv/.installed ## lock the dependencies of pyproject.toml again (hashes, no addresses)
	@echo '== locking'
	@$(COMPILE) --extra api -o requirements.txt
	@$(COMPILE) -c requirements.txt -o requirements-functions.txt
	@$(COMPILE) --extra api --group dev -c requirements.txt -o requirements-dev.txt

new-module: .venv/.installed ## lay out a module: make new-module NAME=vehicles ZH=车辆
	@$(PY) -m infra.new_module "$(NAME)"

# ---- the cloud: builds of the functions, and the bench ----
-include infra/build.mk

# ---- the simulation ----
-include infra/simulation.mk

.PHONY: clean help
clean: ## remove what the set-up and the builds made (not the data folder)
	@rm -rf .uv .venv node_modules .aws-sam .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
