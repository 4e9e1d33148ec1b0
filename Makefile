# Stoa. `make demo` shows it, `make test` proves it; both set everything up first and work offline afterwards.
#
# Set-up is a row of stamps. A stamp's name carries a hash of what it depends on (interpreter, place, lock file),
# so a changed lock, a moved clone or a new Python redoes just that step, whatever the dates of files say.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A distribution's own Python comes first: it is built with profile-guided optimisation, which one built by default is
# not, and the same code takes it two thirds of the time. `make PYTHON=…` chooses another.
PYTHON := $(shell for p in /usr/bin/python3.11 /usr/bin/python3 python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
hash = $(shell { $(1); } 2>&1 | sha256sum | cut -c1-16)

BIN := .venv/bin
NODE_FILES := package.json package-lock.json .npmrc scripts/vendor.py
VENV := .venv/.python-$(call hash,$(if $(PYTHON),$(PYTHON) -VV;) pwd)
PARTS := .venv/.parts-$(call hash,cat requirements/*.txt)
EDITABLE := .venv/.editable-$(call hash,cat pyproject.toml requirements/runtime.in)
VENDOR := src/stoa/web/static/vendor/.files-$(call hash,cat $(NODE_FILES))

.PHONY: help demo test check format reference setup vendor system lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: setup  ## tell the whole story on real input files, then serve it (NETWORK=1: on five; EXIT=1 ends after it)
	@$(BIN)/stoa demo $(if $(NETWORK),--network) $(if $(EXIT),--exit)

test: setup check  ## every check and every test
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal $(ARGS) \
		&& echo "Stoa stands: all checks and all tests passed." \
		|| { echo "Stoa does not stand: see the first failure above."; exit 1; }

check: setup  ## format, lint, types, room contracts, dead code, house rules
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }
	@$(BIN)/python scripts/dead_code.py
	@$(BIN)/python -m pytest -q tests/house
	@echo "Checks passed: format, lint, types, rooms, dead code, house rules."

format: setup  ## put the code into its canonical form
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

reference: setup  ## write docs/reference from the code
	@$(BIN)/python -m scripts.reference

setup: $(VENDOR) $(EDITABLE)  ## install what is missing: system packages, Python parts, browser files
	@# nothing more

vendor: $(VENDOR)  ## fetch the browser files of package-lock.json

system:
	@test -n "$(PYTHON)" || { echo "Stoa needs Python 3.11 or newer, and found no python3.11 or python3 of that age." >&2; exit 1; }
	@scripts/system.sh $(PYTHON)

$(VENV): | system
	$(PYTHON) -m venv --clear .venv
	@touch $@

$(PARTS): $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/runtime.txt -r requirements/dev.txt
	@rm -f .venv/.parts-* && touch $@

$(EDITABLE): $(PARTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f .venv/.editable-* && touch $@

$(VENDOR): | system
	npm ci --silent
	@$(PYTHON) scripts/vendor.py && touch $@

PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

lock: setup  ## pin what requirements/*.in and package.json ask for
	$(PIP_COMPILE) $(ARGS) --output-file requirements/runtime.txt requirements/runtime.in
	$(PIP_COMPILE) $(ARGS) --output-file requirements/dev.txt requirements/dev.in
	npm install --package-lock-only --silent

clean:  ## remove everything that set-up and the tools have made
	rm -rf .venv node_modules src/stoa/web/static/vendor src/stoa.egg-info build .mypy_cache .ruff_cache \
		.pytest_cache .import_linter_cache .hypothesis
