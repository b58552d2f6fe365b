PYTHON ?= python3
BIN := .venv/bin
TORCH_INDEX := https://download.pytorch.org/whl/cpu
# About a third of the work each. Every other folder, a new one too, is in the last third.
FIRST_THIRD := $(addprefix tests/,backup loopback)
SECOND_THIRD := $(addprefix tests/,artifacts catalog cli evidence foundation middleware servers telemetry worker)

.PHONY: help setup run train test test-long first-third second-third last-third check fmt bench coverage clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: .venv/.runtime  ## Make the environment, with .venv/bin/bookmesh

run: setup  ## Fill the demo catalog, train, start the mesh; later runs only start
	@$(BIN)/bookmesh import demo --if-empty
	@$(BIN)/bookmesh train --if-none
	@$(BIN)/bookmesh up

train: setup  ## Run the nine steps
	@$(BIN)/bookmesh train

test: check  ## Lint, types, layers and every test, on two cores
	@tests/install_services.sh
	@echo 'Three processes run the tests; what each tells is shown when it has ended.'
	@$(MAKE) --no-print-directory --keep-going --jobs $$(($$(getconf _NPROCESSORS_ONLN) + 1)) \
	  $(if $(filter output-sync,$(.FEATURES)),--output-sync) first-third second-third last-third

# Deadlines are tested by the clock, and a busy machine may stall: what fails runs once more, and is told of (R) at the end.
first-third:
	$(BIN)/pytest --reruns 1 -rR $(FIRST_THIRD)

second-third:
	$(BIN)/pytest --reruns 1 -rR $(SECOND_THIRD)

last-third:
	$(BIN)/pytest --reruns 1 -rR $(addprefix --ignore=,$(FIRST_THIRD) $(SECOND_THIRD))

test-long: .venv/.dev  ## What takes long: a week of nights, a deployment, a clean machine
	$(BIN)/pytest -m long tests/long

check: .venv/.dev  ## Lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fmt: .venv/.dev  ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# test_crash kills a process after each of its operations on files, to which measuring adds its own.
coverage: .venv/.dev  ## Which lines the tests run, in all processes that they start
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --ignore=tests/artifacts/test_crash.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

bench: .venv/.dev  ## Measure serving beside other ways to serve; BENCH='--books 250000' passes options on
	@$(BIN)/python -m tests.bench.serving $(BENCH)

clean:  ## Remove the environment and what tools left; data under BOOKMESH_HOME stay
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'bookmesh needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	$(PYTHON) -m venv .venv

# Without a GPU PyTorch's own build for CPUs does, and saves gigabytes; where pip cannot get it, any other will do.
.venv/.torch: .venv/bin/python constraints.txt
	@nvidia-smi >/dev/null 2>&1 || $(BIN)/pip install --quiet --constraint constraints.txt --no-deps --retries 0 --timeout 5 \
	  --index-url $(TORCH_INDEX) torch >/dev/null 2>&1 || true
	@touch $@

.venv/.runtime: .venv/.torch pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train]'
	@touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	@touch $@
