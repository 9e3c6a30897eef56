# Everything a contributor does, by name. Needs make and a Python of at least 3.11; the rest goes into .venv.
#
#   make demo                      run one experiment and draw its figures
#   make test                      what continuous integration runs
#   make test PYTHON=/opt/py/bin/python3.13

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV    := .venv
BIN     := $(VENV)/bin
OUT     ?= demo-out
WORKERS ?= 2
PIP     := $(BIN)/python -m pip --disable-pip-version-check
# These two variables hold the build backend to the same versions, in older and newer releases of pip.
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PIP) install --quiet

# The first candidate that starts and is new enough. Trying is the only test: some machines have launchers that only complain.
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
ENOUGH     := import sys; sys.exit(sys.version_info < (3, 11))
ifeq ($(origin PYTHON),undefined)
PYTHON = $(shell for p in $(CANDIDATES); do if $$p -c '$(ENOUGH)' >/dev/null 2>&1; then echo $$p; break; fi; done)
endif

.PHONY: help demo test test-long bench lint types docs-check clean

help:
	@echo "make demo        install sysim into $(VENV), run an experiment, draw its figures into $(OUT)/"
	@echo "make test        lint, type-check and test (what continuous integration runs)"
	@echo "make test-long   every test, also those that take minutes"
	@echo "make bench       the benchmark table; WRITE=1 saves it to benchmarks/README.md"
	@echo "make lint        ruff alone"
	@echo "make types       mypy alone"
	@echo "make docs-check  run every example in the documentation"
	@echo "make clean       remove $(VENV), caches and what the demo wrote"

# --- the environment -------------------------------------------------------------------------------------------------

$(VENV)/.created:
	@test -n "$(PYTHON)" || { \
	  echo "sysim needs Python 3.11 or newer, and none of these is: $(CANDIDATES)." >&2; \
	  echo "Name one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c '$(ENOUGH)' || { \
	  echo "sysim needs Python 3.11 or newer; '$(PYTHON)' is not (or does not start)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Could not create $(VENV). On Debian and Ubuntu the package python3-venv is needed." >&2; exit 1; }
	@touch $@

$(VENV)/.installed-run: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing sysim into $(VENV) ..."
	@$(INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing sysim and its tools into $(VENV) ..."
	@$(INSTALL) -c constraints.txt -e '.[test,dev,cluster,parquet]'
	@touch $@ $(VENV)/.installed-run

# --- what one runs ---------------------------------------------------------------------------------------------------

demo: $(VENV)/.installed-run
	$(BIN)/sysim run experiments/payment_slowdown.yaml --out $(OUT)
	@echo
	@echo "Open $(OUT)/report.html. All figures and results are in $(OUT)/:"
	@ls -1 $(OUT)
	@echo "Next: open experiments/payment_slowdown.yaml, change one thing, and run it again."

test: lint types
	$(BIN)/python -m pytest -n $(WORKERS)

test-long: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "long or not long"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy sysim

bench: $(VENV)/.installed-run
	$(BIN)/python benchmarks/run.py $(if $(WRITE),--write)

docs-check: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "long or not long" tests/docs

clean:
	rm -rf $(VENV) $(OUT) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis benchmarks/yardsticks/build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
