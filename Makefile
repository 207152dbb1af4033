# make demo | test | lint | bench | build | clean.  PYTHON=/path/to/python chooses the interpreter of the environment.
# Everything lives in .venv and build/; nothing outside this folder is touched.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PY := $(VENV)/bin/python
BIN := $(VENV)/bin
PIP := $(PY) -m pip --disable-pip-version-check -qq
STAMPS := $(VENV)/.stamps
# What the compiled module depends on. A change of a Python file needs no build: the install is editable.
NATIVE := CMakeLists.txt pyproject.toml $(shell find csrc -type f 2>/dev/null)
PYTEST_ARGS ?=
# Processes that share the tests; the networks in each of them use every processor.
TEST_PROCESSES ?= 2
# In CI a warning of the compiler is an error; on a stranger's newer compiler it is not.
WARNINGS := $(if $(CI),-C cmake.define.HYPERBAND_WERROR=ON)
DEMO_TIME ?= 45s

.PHONY: help demo test check lint format bench gpu-check build clean

help:
	@echo "make demo    set everything up and search a network for a real table (digits), under a minute after the build"
	@echo "make test    set everything up, then run all tests and all static checks"
	@echo "make check   the tests alone (PYTEST_ARGS='-x -k rungs' for some of them)"
	@echo "make lint    the static checks alone: ruff, mypy, clang-format"
	@echo "make format  let ruff and clang-format rewrite the files"
	@echo "make bench   time the engine against other ways to train the same networks"
	@echo "make gpu-check  where a GPU is: build, compare with the CPU to the bit, look for races, time (eight minutes)"
	@echo "make build   the virtual environment and the compiled package alone"
	@echo "make clean   remove what the others made"

# The newest Python that really runs (a version manager's shim may not) and can make virtual environments.
$(STAMPS)/venv:
	@if [ ! -x $(PY) ]; then \
	  chosen=""; \
	  for p in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3 python; do \
	    if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	      chosen="$$p"; break; \
	    fi; \
	  done; \
	  if [ -z "$$chosen" ]; then \
	    echo "No Python >= 3.11 with venv was found. Install one, or say make PYTHON=/path/to/python ..." >&2; exit 1; \
	  fi; \
	  echo "== virtual environment in $(VENV) with $$("$$chosen" --version) =="; \
	  "$$chosen" -m venv $(VENV); \
	fi
	@mkdir -p $(STAMPS); touch $@

# Build tools live in the environment, so that a second build reuses the objects of the first.
$(STAMPS)/tools: $(STAMPS)/venv pyproject.toml
	@echo "== build tools and dependencies =="
	@$(PIP) install "pip>=23.1" "scikit-build-core>=1.0" "pybind11>=3" "cmake>=3.30" ninja
	@touch $@

$(STAMPS)/build: $(STAMPS)/tools $(NATIVE)
	@echo "== building hyperband (one to three minutes, with nvcc five to ten more; only what changed the next time) =="
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) install --no-build-isolation $(WARNINGS) -e ".[test]"
	@$(PY) -m hyperband._common.build_info
	@touch $@

$(STAMPS)/dev: $(STAMPS)/build
	@echo "== tools for the static checks =="
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) install --no-build-isolation $(WARNINGS) -e ".[test,dev]"
	@touch $@

build: $(STAMPS)/build

demo: $(STAMPS)/build
	@echo "== hyperband search sklearn:digits --test 0.2 --time $(DEMO_TIME) =="
	@$(BIN)/hyperband search sklearn:digits --test 0.2 --time $(DEMO_TIME) --out hyperband-out --force

test: check lint
	@echo "== all tests and checks passed =="

check: $(STAMPS)/build
	@echo "== tests =="
	@$(PY) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: $(STAMPS)/dev
	@echo "== ruff =="
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy --strict =="
	@$(BIN)/mypy --strict hyperband
	@echo "== clang-format =="
	@find csrc -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' | xargs $(BIN)/clang-format --dry-run -Werror
	@echo "clang-format: every file as it should be"

format: $(STAMPS)/dev
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .
	@find csrc -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' | xargs $(BIN)/clang-format -i

bench: $(STAMPS)/build
	@$(PY) -m benchmarks

# With the Python that is there, and what it has: no environment is made, nothing is fetched.
gpu-check:
	@$(or $(PYTHON),python3) -m benchmarks gpu-check $(GPU_CHECK_ARGS)

clean:
	rm -rf $(VENV) build dist hyperband-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find hyperband tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
