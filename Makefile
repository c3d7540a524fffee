# Every target makes what it needs on first use and finds it ready afterwards.
#   make PYTHON=python3.12 …   another interpreter          make test ARGS="-k barge_in"   arguments

PYTHON ?= python3
ARGS ?=

VENV := .venv
ADK_VENV := .venv-adk
ADK_VERSION := 2.13.0

# The compiled build lies in a folder of its own, never beside the sources: what is edited is what runs.
COMPILED := build/compiled
WHEEL := build/wheel
PACKAGED := hatch_build.py pyproject.toml README.md $(shell find src client/src -type f -not -name '*.pyc')

RUNTIME_PARTS := --editable '.[microphone,openai,server,testing,voice]'
DEVELOP_PARTS := --editable '.[all,dev]'

PY := $(VENV)/bin/python
RUNTIME := $(VENV)/.antiphon-runtime
DEVELOP := $(VENV)/.antiphon-develop
BROWSER := $(VENV)/.antiphon-browser
ADK := $(ADK_VENV)/.google-adk-$(ADK_VERSION)

# An environment whose interpreter is gone (a moved directory, an upgraded Python) is made anew.
$(shell test -x $(PY) || rm -f $(RUNTIME) $(DEVELOP); test -x $(ADK_VENV)/bin/python || rm -f $(ADK))

# The interpreter that has google-adk; one of your own saves making the environment.
ifdef ANTIPHON_ADK_PYTHON
ADK_READY :=
else
ADK_READY := $(ADK)
ANTIPHON_ADK_PYTHON := $(CURDIR)/$(ADK_VENV)/bin/python
endif
export ANTIPHON_ADK_PYTHON

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-compiled tested-as-compiled check lint types layers house coverage bench voice-report wheel compiled env adk-env clean

help:
	@echo "make demo      talk with an agent on a page in the browser, offline (installs the run-time parts only)"
	@echo "make test      every test, then full branch coverage of the core and the codecs by their own"
	@echo "make test-compiled  the tests of what is compiled, against the compiled build"
	@echo "make check     ruff, mypy, import-linter and the house rules"
	@echo "make bench     measure all beside google-adk and bare relays, and write the figures of docs/performance.md"
	@echo "make voice-report  measure the local voice and write the figures of docs/local-voice.md"
	@echo "make wheel     a compiled wheel for this machine, in dist (needs a C compiler and Python's headers)"
	@echo "make compiled  the same, ready to run: PYTHONPATH=$(COMPILED) $(VENV)/bin/antiphon serve …"
	@echo "make env       only make the development environment, $(VENV)"
	@echo "make adk-env   only make the environment with google-adk, $(ADK_VENV)"
	@echo "make clean     remove environments and caches"
	@echo
	@echo 'Arguments: make demo ARGS="--listen", make test ARGS="-k barge_in", make bench ARGS="--quick capacity memory",'
	@echo '           make PYTHON=python3.12 test'

demo: $(RUNTIME)
	@$(VENV)/bin/antiphon demo $(ARGS)

test: $(DEVELOP) $(BROWSER) $(ADK_READY)
	$(PY) -m pytest -n auto --dist worksteal $(ARGS)
	$(if $(ARGS),,@$(MAKE) --no-print-directory coverage)

# What a module's own tests do not reach is not tested, whoever else passes through it.
coverage: PURE := COVERAGE_FILE=.coverage.pure $(PY) -m coverage
coverage: $(DEVELOP)
	@echo "== core and codecs: every branch, by their own tests"
	@$(PURE) run -m pytest -q -p no:cacheprovider tests/core tests/server/test_wire.py $(wildcard tests/models/test_*_codec.py)
	@$(PURE) report --fail-under=100 --include='src/antiphon/core/*,src/antiphon/models/*_codec.py,src/antiphon/server/wire.py'

# What is compiled, what reads its classes at run time, and whole conversations through all of it.
COMPILED_TESTS := tests/core tests/faults tests/runtime tests/test_compilation.py tests/test_init.py \
	tests/test_clocks.py tests/test_queue.py \
	$(addprefix tests/models/test_,ear.py gemini_codec.py liveness.py parting.py receipts.py socket.py socket_connection.py) \
	tests/models/test_replay*.py tests/models/test_tape*.py \
	$(filter-out %/test_client_files.py,$(wildcard tests/server/test_*.py)) \
	tests/cli/test_commands.py tests/cli/test_demonstration.py tests/cli/test_replay.py

test-compiled: $(DEVELOP)
	@$(if $(CAN_COMPILE),$(MAKE) --no-print-directory tested-as-compiled,echo "== SKIPPED: $(NO_COMPILER)")

tested-as-compiled: $(COMPILED)/.made
	@$(AS_COMPILED) $(PY) -c 'import antiphon.compilation as it; assert it.is_compiled(), it.__file__'
	$(AS_COMPILED) $(PY) -m pytest -n auto --dist worksteal -o pythonpath=. $(or $(ARGS),$(COMPILED_TESTS))

check: lint types layers house

lint: $(DEVELOP)
	@echo "== ruff"
	@$(PY) -m ruff check .

types: $(DEVELOP)
	@echo "== mypy"
	@$(PY) -m mypy

layers: $(DEVELOP)
	@echo "== import-linter"
	@$(VENV)/bin/lint-imports

house: $(DEVELOP)
	@echo "== house rules"
	@$(PY) -m pytest -q tests/test_house.py

# Where google-adk cannot be had, the others are measured without it.
bench: $(DEVELOP)
	$(if $(ADK_READY),@$(MAKE) --no-print-directory $(ADK) || echo "   not installed: measured without google-adk")
	@$(PY) -m benchmarks.everything $(ARGS)

voice-report: $(DEVELOP)
	@$(PY) -m benchmarks.voice_report $(ARGS)

wheel: $(WHEEL)/.made

compiled: $(COMPILED)/.made

env: $(DEVELOP)

adk-env: $(ADK_READY)
	@echo "google-adk: $(ANTIPHON_ADK_PYTHON)"

clean:
	rm -rf $(VENV) $(ADK_VENV) build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the compiled build -----------------------------------------------------------------------------------

AS_COMPILED := PYTHONPATH=$(CURDIR)/$(COMPILED)
INCLUDED = $(shell $(PY) -c 'import sysconfig; print(sysconfig.get_path("include"))')
CAN_COMPILE = $(shell $${CC:-cc} -fsyntax-only -I'$(INCLUDED)' -include Python.h -xc /dev/null 2>/dev/null && echo yes)
NO_COMPILER := the compiled build is not tested, since there is no C compiler or no Python.h (apt install gcc python3-dev)

$(WHEEL)/.made: $(PACKAGED) | $(VENV)/bin/python
	@echo "== dist: compiling a wheel (two minutes)"
	@rm -rf $(WHEEL) && mkdir -p $(WHEEL) dist
	@ANTIPHON_COMPILE=1 $(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL) .
	@cp $(WHEEL)/*.whl dist && ls $(WHEEL) && touch $@

$(COMPILED)/.made: $(WHEEL)/.made
	@rm -rf $(COMPILED)
	@$(PY) -m zipfile -e $(WHEEL)/*.whl $(COMPILED)
	@touch $@

# --- environments ---------------------------------------------------------------------------------------

# $(call make-venv,DIRECTORY): reached only when DIRECTORY holds no working interpreter.
define make-venv
@$(PYTHON) -c '' 2>/dev/null || { \
	echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 …" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Antiphon needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 …" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
@echo "== $(1): making the environment with $$($(PYTHON) --version)"
@$(PYTHON) -m venv --clear $(1)
endef

# $(call install,DIRECTORY,WHAT): of what pip says only the names of the packages, and what stops it.
define install
@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(1)/bin/python -m ensurepip --upgrade >/dev/null
@{ $(1)/bin/python -m pip install --progress-bar off --disable-pip-version-check $(2) 2>$(1)/pip-errors \
	|| { cat $(1)/pip-errors >&2; echo failed; }; } \
	| { outcome=0; printf '  '; while read -r word name rest; do case "$$word" in \
		Collecting) printf ' %s' "$${name%%[<>=!~;[(]*}";; \
		Installing) [ "$$name" != collected ] || printf '\n   unpacking …';; \
		failed) outcome=1;; esac; done; echo; exit $$outcome; }
@touch $@
endef

$(VENV)/bin/python:
	$(call make-venv,$(VENV))

$(ADK_VENV)/bin/python:
	$(call make-venv,$(ADK_VENV))

$(RUNTIME): pyproject.toml | $(VENV)/bin/python
	@echo "== $(VENV): installing the run-time parts, with the voice (about half a minute, once)"
	$(call install,$(VENV),$(RUNTIME_PARTS))

# After the run-time parts, not beside them: two installers in one environment spoil it.
$(DEVELOP): pyproject.toml $(RUNTIME)
	@echo "== $(VENV): installing the development tools (about a minute, once)"
	$(call install,$(VENV),$(DEVELOP_PARTS))

# What the client and the page are tested in. Where it cannot be installed those tests are skipped, and say so.
$(BROWSER): | $(VENV)/bin/python
	@missing=; command -v node >/dev/null || missing=nodejs; \
	for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && break; done \
		|| missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "== installing$${missing:+ }$$missing for the tests in a browser (about a minute, once)"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } \
			>/dev/null 2>&1 || echo "   not installed: the tests in a browser are skipped"; \
	else echo "== tests in a browser are skipped: install$${missing:+ }$$missing"; fi
	@touch $@

# google-adk brings heavy dependencies and its own idea of their versions; it stays apart.
$(ADK): | $(ADK_VENV)/bin/python
	@echo "== $(ADK_VENV): installing google-adk $(ADK_VERSION) (one or two minutes, once)"
	$(call install,$(ADK_VENV),google-adk==$(ADK_VERSION))
