# Every target builds what it needs. The first run makes .venv; later ones start at once, until pyproject.toml or
# constraints.txt change. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
export NO_MKDOCS_2_WARNING := 1

# A stamp is written when its install has succeeded, and never before.
INSTALLED := .venv/.installed
TESTABLE := .venv/.installed-test
CHECKABLE := .venv/.installed-check
DOCUMENTABLE := .venv/.installed-docs

# A checkout that was moved or copied holds a .venv that points to its old place: install again.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif

.NOTPARALLEL:
.PHONY: help install demo test test-base test-all check format bench docs serve clean
.PHONY: check-format check-lint check-types check-floors check-docs

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(INSTALLED) ## make .venv and install the package into it

demo: $(INSTALLED) ## six pictures, by recipes and by a network, with reports in demo/
	@$(BIN)/python examples/demo.py

test: $(TESTABLE) ## the whole suite, but for what takes minutes
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal -m "not slow"

test-base: $(TESTABLE) ## the suite as if the extra `deep` were not installed
	@MICROTOME_WITHOUT_DEEP=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal -m "not slow"

test-all: $(TESTABLE) ## the suite with the slow tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

check: check-format check-lint check-types check-floors check-docs ## format, lint, types, floors, and the documentation's links

check-format: $(CHECKABLE)
	$(BIN)/ruff format --check .

check-lint: $(CHECKABLE)
	$(BIN)/ruff check .

check-types: $(CHECKABLE)
	$(BIN)/mypy

check-floors: $(CHECKABLE)
	$(BIN)/lint-imports

check-docs: $(DOCUMENTABLE)
	$(BIN)/mkdocs build --strict

format: $(CHECKABLE) ## put the code into its format
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(TESTABLE) ## one table of ratios a subject; results go to benchmarks/results/
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

docs: $(DOCUMENTABLE) ## build the documentation into site/
	$(BIN)/mkdocs build --strict

serve: $(DOCUMENTABLE) ## show the documentation in a browser while it is being written
	$(BIN)/mkdocs serve

clean: ## remove what was built: .venv, caches, site/ and demo/
	rm -rf .venv site demo dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" scripts/install

$(TESTABLE): $(INSTALLED)
	@scripts/install test

$(CHECKABLE): $(INSTALLED)
	@scripts/install check

$(DOCUMENTABLE): $(INSTALLED)
	@scripts/install docs
