# Everything a person or CI runs. Each target makes what it needs: a virtual environment in .venv
# from the lock files (with hashes), the control plane's programs in a per-user cache.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMP  := $(VENV)/.dev
RUN_STAMP := $(VENV)/.run
# Compiled modules are kept, whatever the environment says: tests start this program many times, and
# without them pytest rewrites every assertion anew in each of its processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-quick lint types contracts bench crash fuzz e2e lock clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# A virtual environment that was interrupted while it was made, or whose Python is gone, is made anew.
$(RUN_STAMP): requirements/run.lock requirements/build.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found; set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gitops-ocm needs Python 3.11 or newer, and $(PYTHON) is older; set PYTHON=..." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); } || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PIP) --require-hashes -r requirements/run.lock
	$(PIP) --require-hashes -r requirements/build.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP): requirements/dev.lock $(RUN_STAMP)
	$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

demo: $(RUN_STAMP) ## a hub, three clusters and a repository on this machine
	$(BIN)/gitops-ocm demo $(DEMO)

test: lint types contracts ## lint, types, contracts and every test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST)

test-quick: $(STAMP) ## the tests that take under a minute together
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m "not slow and not controlplane" $(PYTEST)

crash: $(STAMP) ## kill the embedded server 200 times under load
	GITOPS_OCM_TEST_CRASHES=200 $(BIN)/python -m pytest tests/e2e/test_server_crash.py $(PYTEST)

fuzz: $(STAMP) ## coverage-guided fuzzing of what reads bytes from outside: SECONDS for each, TARGET to pick one
	$(PIP) --target build/fuzz/atheris --upgrade --require-hashes -r requirements/fuzz.lock
	PYTHONPATH=build/fuzz/atheris:. $(BIN)/python -m tests.fuzz.explore $(or $(SECONDS),30) "$(TARGET)"

e2e: $(STAMP) ## the installation guide on two real clusters (tests/lab/conftest.py names the variables)
	@test -n "$$GITOPS_OCM_E2E_HUB_KUBECONFIG" || { echo "set GITOPS_OCM_E2E_HUB_KUBECONFIG, _MANAGED_KUBECONFIG and _IMAGE: see tests/lab/conftest.py" >&2; exit 1; }
	$(BIN)/python -m pytest tests/lab $(PYTEST)

lint: $(STAMP) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

contracts: $(STAMP) ## import-linter: who may import whom
	$(BIN)/lint-imports --no-cache

bench: $(STAMP) ## the benchmark table
	$(BIN)/python -m tests.bench $(BENCH)

lock: ## rewrite the lock files from pyproject.toml
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.lock
	build/lock/bin/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate -c requirements/run.lock --group build -o requirements/build.lock
	build/lock/bin/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate -c requirements/run.lock --group dev pyproject.toml -o requirements/dev.lock
	build/lock/bin/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate --group fuzz -o requirements/fuzz.lock

clean: ## remove what was made here (not the per-user cache)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .demo
