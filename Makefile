# Two commands do everything on a fresh machine: `make drill` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: drill test up simulate soak mutations bench-scenarios bench-loss bench-detection bench-start lock clean help
.DEFAULT_GOAL := help

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

drill: $(VENV)/.drill ## break a Region in the local cloud and watch it heal
	@$(BIN)/sidestep drill $(ARGS)

up: $(VENV)/.drill ## run the local cloud in real time until Ctrl-C
	@$(BIN)/sidestep up $(ARGS)

test: $(VENV)/.dev ## lint, type-check and run every test
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

simulate: $(VENV)/.drill ## 200 random worlds, the same ones each time: what CI runs
	@$(BIN)/sidestep simulate --soak --seeds 200 $(ARGS)

soak: $(VENV)/.drill ## random worlds that nobody has seen, until Ctrl-C or ARGS="--seeds 5000"
	@$(BIN)/python -m benchmarks.soak $(ARGS)

mutations: $(VENV)/.drill ## put deliberate bugs in, one at a time, and see which seed finds each
	@$(BIN)/python -m benchmarks.mutations.run $(ARGS)

bench-scenarios: $(VENV)/.drill ## every scenario under six designs: hours; goes on where it was stopped
	@$(BIN)/python -m benchmarks.bench_scenarios $(ARGS)

bench-loss: $(VENV)/.drill ## what table replication and the write ledger can lose together: a minute
	@$(BIN)/python -m benchmarks.bench_loss $(ARGS)

bench-detection: $(VENV)/.drill ## how soon grey failures are noticed, and how often in vain: minutes
	@$(BIN)/python -m benchmarks.bench_detection $(ARGS)

bench-start: $(VENV)/.drill ## from the decision to leave a Region until DNS hears of it: minutes
	@$(BIN)/python -m benchmarks.bench_start $(ARGS)

lock: ## pin every dependency anew (needs uv: pip install uv); the tools pin hardest, so they go first
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --extra dev pyproject.toml --output-file requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --extra localcloud pyproject.toml --output-file requirements/drill.txt --constraint requirements/dev.txt

clean: ## remove what the targets above made
	rm -rf $(VENV) .aws-sam build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Sidestep needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.drill: requirements/drill.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install -r requirements/drill.txt
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install -r requirements/dev.txt
	@$(PIP) install --no-deps --editable .
	@touch $@ $(VENV)/.drill
