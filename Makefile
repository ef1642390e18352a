# Pilotwire: every habit of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
# uv is used when it is there; otherwise it is put into .uv/ by pip, and nothing else on the machine changes.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen
export UV_SYSTEM_CERTS ?= 1

.PHONY: help setup demo run test check format bench ui docs clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Pilotwire needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "setting up uv in .uv/"
	@$(PYTHON) -m venv .uv || { echo "python3-venv is missing: install it with your package manager"; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

setup: $(filter .uv/bin/uv,$(UV)) ## install everything the project needs into .venv/
	@$(UV) sync --frozen --quiet --compile-bytecode --python $(PYTHON)
	@$(RUN) python -m compileall -q src
	@$(RUN) python scripts/build_console.py

demo: setup ## the whole system with a simulated charging network, in the browser
	@$(RUN) pilotwire demo $(ARGS)

run: setup ## the server alone, data in ./data
	@$(RUN) pilotwire serve --data-dir data $(ARGS)

test: setup ## all tests, on a real PostgreSQL
	@bash scripts/test_tools.sh
	@$(RUN) python scripts/build_console.py --npm run --silent test
	@$(RUN) pytest -n 2 --dist loadgroup $(ARGS)

check: setup ## format, lint, types, import rules, dead code, generated files up to date
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) vulture
	@$(RUN) python scripts/generate_codec.py --check
	@$(RUN) python scripts/generate_reference.py --check
	@$(RUN) python scripts/generate_quirks_doc.py --check
	@$(RUN) python scripts/generate_texts.py --check
	@$(RUN) python scripts/build_console.py --npm run --silent check
	@$(RUN) python scripts/generate_console_api.py --check

format: setup ## format the code and mend what can be mended by itself
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .
	@$(RUN) python scripts/build_console.py --npm run --silent format

ui: setup ## take the pictures for the docs again; ARGS="--all FOLDER" takes every screen (needs Chromium)
	@$(RUN) python scripts/screenshots.py $(ARGS)

docs: setup ## write the generated pages of the docs and the generated code again
	@$(RUN) python scripts/generate_codec.py
	@$(RUN) python scripts/generate_reference.py
	@$(RUN) python scripts/generate_quirks_doc.py
	@$(RUN) python scripts/generate_texts.py
	@$(RUN) python scripts/generate_console_api.py

bench: setup ## measure the gateway against the usual way; prints a table, writes bench/results/
	@$(RUN) pilotwire bench gateway $(ARGS)

clean: ## remove the environments and caches (data stays)
	rm -rf .venv .uv .node console/node_modules src/pilotwire/web/static .mypy_cache .ruff_cache .pytest_cache .hypothesis
