# Two commands set everything up on a fresh machine with Python 3.11+ and make:
#   make demo    runs the whole story          make test    runs the whole suite
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check lint types layers samples readme lock bench bench-compatibility nightly fuzz clean help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "driftgate needs Python 3.11 or newer; choose one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Make the environment and run the demo
	$(BIN)/driftgate demo

test: $(READY) ## Make the environment and run the whole test suite
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

check: lint types layers ## Lint, types and layers

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy strict
	$(BIN)/mypy

layers: $(READY) ## import-linter
	$(BIN)/lint-imports

bench: $(READY) ## Measure start-up and the simulators
	$(BIN)/python tests/benchmarks/bench_startup.py
	$(BIN)/python tests/benchmarks/bench_simulator.py

bench-compatibility: $(READY) ## Judge a corpus of document pairs: make bench-compatibility CORPUS=DIR
	@test -n "$(CORPUS)" || { echo "say where the pairs are: make bench-compatibility CORPUS=DIR" >&2; exit 2; }
	$(BIN)/python tests/benchmarks/bench_compatibility.py $(CORPUS)

nightly: $(READY) ## The property tests of the comparison, forty times as wide
	DRIFTGATE_WIDE=40 $(BIN)/python -m pytest -q tests/compatibility -k "hostile or languages or metamorphic or differential" $(ARGS)

fuzz: $(READY) ## Feed the loader mutated documents for ten minutes (needs: pip install atheris)
	$(BIN)/python tests/catalog/fuzz_loader.py -max_total_time=600 $(ARGS)

samples: $(READY) ## Write reports/samples again after a format changed
	$(BIN)/python tests/reports/test_reports_formats.py

readme: $(READY) ## Write the demo's output into README.md again
	$(BIN)/python tests/cli/test_cli_demo.py

lock: ## Write requirements.lock again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml --output-file requirements.lock

clean: ## Remove what the other targets made
	rm -rf $(VENV) reports/out .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist build
