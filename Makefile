# `make help` lists what there is. Each target makes its own environment in .venv when needed:
# a Python >= 3.11, git and make are enough, and an activated environment is not touched.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-all lint types doctest doc bench evidence check clean distclean
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
REQUIREMENTS := pyproject.toml setup.cfg constraints.txt

# Nothing of the caller's Python set-up reaches .venv.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE VIRTUAL_ENV
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_CONSTRAINT PIP_REQUIREMENT PIP_REQUIRE_VIRTUALENV
unexport PYTEST_ADDOPTS PYTEST_PLUGINS
# Pictures go to files: no window opens, and no display is needed.
export MPLBACKEND := Agg

# One thread in each test process, as many processes as cores but at most 4 (memory):
# `make test PROCESSES=0` runs all tests in one.
PROCESSES ?= logical
TEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q
SPREAD := -n $(PROCESSES) --maxprocesses 4 --dist worksteal
PAGES := README.rst CONTRIBUTING.rst doc
DOCTESTS := --doctest-modules --doctest-glob='*.rst' $(PAGES) sklearn_ddcl

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed-plot  ## cluster the digits images, print a table, write a picture
	@$(BIN)/python examples/plot_digits_demo.py

test: $(VENV)/.installed-test  ## the test suite and the examples in the documentation
	@$(TEST) $(SPREAD) -m "not slow" tests $(DOCTESTS)

test-all: $(VENV)/.installed-test  ## the same with the slow tests
	@$(TEST) $(SPREAD) tests $(DOCTESTS)

doctest: $(VENV)/.installed-test  ## every code block of README, doc/ and docstrings
	@$(TEST) $(DOCTESTS)

lint: $(VENV)/.installed-lint  ## ruff: rules and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(VENV)/.installed-lint  ## mypy --strict on nn/ and engine/
	@$(BIN)/mypy

doc: $(VENV)/.installed-doc  ## HTML pages in doc/_build, with the examples run (2 minutes)
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx \
	    -W --keep-going -q -b html -d doc/_build/doctrees doc doc/_build/html
	@echo "Open doc/_build/html/index.html"

bench: $(VENV)/.installed-test  ## measurements beside KMeans and others (about two hours)
	@$(BIN)/python benchmarks/run.py

evidence: $(VENV)/.installed-test  ## the papers' claims beside what is measured (under an hour)
	@$(BIN)/python examples/paper/run_all.py

check:  ## everything that CI runs
	@.ci/run

clean:  ## remove what was built or cached, but not .venv
	@rm -rf build dist *.egg-info doc/_build doc/auto_examples doc/generated demo_prototypes.png
	@rm -rf .hypothesis .pytest_cache .mypy_cache .ruff_cache
	@find sklearn_ddcl tests examples benchmarks doc -name __pycache__ -prune -exec rm -rf {} +

distclean: clean  ## the same and .venv
	@rm -rf $(VENV)

$(VENV)/.installed-%: $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing the package and what '$*' needs into $(VENV) (first time: a few minutes) ..."
	@$(PIP) install -c constraints.txt -e '.[$*]'
	@touch $@

$(BIN)/python:
	@missing=; \
	for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	    "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || continue; \
	    "$$candidate" -c 'import ensurepip, venv' 2>/dev/null || { missing="$$candidate"; continue; }; \
	    echo "Making $(VENV) with $$("$$candidate" --version) ..."; \
	    "$$candidate" -m venv --clear $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "$$missing cannot make environments: install its venv package" \
	        "(Debian, Ubuntu: apt install python3-venv)." >&2; \
	else \
	    echo "No Python >= 3.11 found as python3, python3.13, python3.12, python3.11 or python." \
	        "Install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; \
	fi; \
	exit 1
