# Everything a contributor runs. `make` alone explains the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
CARGO := cargo
MANIFEST := --manifest-path dedup/native/Cargo.toml
# The tests run on the release profile of the Python build: it shares every dependency with it, and
# the property tests are slow without optimisation.
TEST_PROFILE := --release
NATIVE := dedup/native/Cargo.toml dedup/native/Cargo.lock \
          $(wildcard dedup/native/core/Cargo.toml dedup/native/core/build.rs) \
          $(shell find dedup/native/core/src dedup/native/python -name "*.rs" -o -name Cargo.toml)
DEMO := tests/corpora/demo
RESULTS := demo-results

.DEFAULT_GOAL := help
.PHONY: help demo test check bench fuzz dev clean test-rust test-python test-lowest lint-rust \
        lint-python

help: ## show this list
	@echo 'Needs Python 3.10 or later and a Rust toolchain; everything else goes into $(VENV).'
	@echo
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	    awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo
	@echo 'Another interpreter: make demo PYTHON=python3.12'

demo: $(VENV)/built ## set up, scan the bundled corpus into demo-results and show what was found
	$(BIN)/dedup scan $(DEMO) -o $(RESULTS)
	$(BIN)/dedup info $(RESULTS)

test: test-rust test-python ## set up and run every test, Rust and Python

check: lint-python lint-rust test ## the gate: format, lint, types and every test

bench: $(VENV)/built ## run the benchmarks in benchmarks/ (see benchmarks/README.md)
	$(BIN)/python benchmarks/speed.py

FUZZ_MINUTES ?= 5

fuzz: $(VENV)/built ## feed changed files to everything that reads one, for FUZZ_MINUTES
	cd tests && ../$(BIN)/python -m fuzz --minutes $(FUZZ_MINUTES)

dev: $(VENV)/built ## set up only: .venv with the development tools and dedup, editable
	@echo 'ready: source $(BIN)/activate'

clean: ## remove everything that was built
	rm -rf $(VENV) $(LOWEST) $(RESULTS) dist dedup/native/target dedup/native/fuzz/target dedup/*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find dedup tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

test-rust: ## the Rust tests only
	$(CARGO) test $(MANIFEST) $(TEST_PROFILE) --package dedup-core

test-python: $(VENV)/built ## the Python tests only
	$(BIN)/python -m pytest

# From the checkout, whose core is built already and knows no version of a package. What is shipped
# does not depend on versions.
test-lowest: $(LOWEST)/installed ## the Python tests with the lowest versions that are allowed
	PYTHONPATH=$(CURDIR) $(LOWEST)/bin/python -m pytest \
	    --ignore tests/project/test_wheel.py --ignore tests/project/test_licenses.py

lint-python: $(VENV)/built ## format, lint and types of the Python code, and the stub of the core
	$(BIN)/ruff format --check dedup tests benchmarks
	$(BIN)/ruff check dedup tests benchmarks
	$(BIN)/mypy
	$(BIN)/stubtest dedup._native --mypy-config-file pyproject.toml

lint-rust: ## format, lints and documentation of the Rust code
	$(CARGO) fmt $(MANIFEST) --all --check
	$(CARGO) clippy $(MANIFEST) $(TEST_PROFILE) --all-targets --workspace -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(MANIFEST) $(TEST_PROFILE) --workspace --no-deps \
	    --document-private-items

# A stamp says that a step was done. The tools come first, with a pip that knows `--group`:
# `maturin develop` calls it.
$(VENV)/tools: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# Editable: a change of Python code needs no step, a change of Rust code builds again.
$(VENV)/built: $(VENV)/tools $(NATIVE)
	@echo 'Building the Rust core: a few minutes the first time.'
	PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release
	@touch $@

# Versions without a wheel for this interpreter are passed over. The tools of the tests are new.
$(LOWEST)/installed: $(VENV)/built pyproject.toml
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --only-binary :all: \
	    --python $(LOWEST)/bin/python --extra http --extra s3 pyproject.toml -o $(LOWEST)/lowest.txt
	$(BIN)/uv pip install --quiet --only-binary :all: --python $(LOWEST)/bin/python \
	    -r $(LOWEST)/lowest.txt --group test
	@touch $@
