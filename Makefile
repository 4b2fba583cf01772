# `make` alone lists the targets. ARGS passes options on: make test ARGS="-k phase", make demo ARGS=--json

VENV := .venv/bin
ARGS ?=
SECONDS ?= 600

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-thorough test-all test-newest fuzz mutants lint format docs clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

venv: ## build .venv, or bring it up to date (Python 3.10, pinned versions)
	@scripts/bootstrap

demo: venv ## the whole line on handwritten digits: convert, quantize, export, run on Lava, compare
	@$(VENV)/onespike demo $(ARGS)

# Tests start some hundred interpreters, each of which would compile the package again where none keeps its bytecode.
test test-thorough test-all: export PYTHONDONTWRITEBYTECODE :=

test: venv ## the fast tests
	@$(VENV)/python -m pytest -n auto --dist loadfile -m "not slow and not thorough" $(ARGS)

test-thorough: venv ## tests of many seconds each, which .ci/run runs after the fast ones
	@$(VENV)/python -m pytest -n auto --dist loadfile -m "thorough and not slow" $(ARGS)

test-all: venv ## all tests, the slow ones too
	@$(VENV)/python -m pytest -n auto --dist loadfile $(ARGS)

test-newest: ## the wheel and the front end on Python 3.13 or 3.12 with the newest torch, in .venv-newest
	@scripts/test-newest

fuzz: venv ## read mutated files of every kind, compare executors on random networks, for SECONDS=600; make fuzz SECONDS=3600
	@$(VENV)/python -m tests.fuzzing --seconds $(SECONDS) $(ARGS)

mutants: venv ## change the code and see whether the tests notice (docs/mutation.md); ARGS="--target codes --sample 200"
	@$(VENV)/python -m pip install -q -c constraints.txt "cosmic-ray>=8.4"
	@$(VENV)/python -m tests.mutation $(ARGS)

lint: venv ## ruff's rules, ruff's formatting, mypy, the layers of the packages
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

format: venv ## apply ruff's formatting and its safe fixes
	$(VENV)/ruff check --fix-only --exit-zero .
	$(VENV)/ruff format .

docs: venv ## build the documentation site in site/; warnings are errors
	@NO_MKDOCS_2_WARNING=1 $(VENV)/mkdocs build --quiet
	@echo "site/index.html"

clean: ## remove build output, caches and demo output; keeps .venv
	rm -rf build dist out site onespike-demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -path "./.venv*" -prune -o -path ./.git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv too
	rm -rf .venv .venv.lock .venv-newest
