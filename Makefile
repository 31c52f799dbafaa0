PYTHONS := python3.11 python3.12 python3.13 python3.14 python3
BIN := .venv/bin
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup install demo test test-all check format lint types texts pictures bench bench-growth torture lock

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready ## Make .venv with everything pinned (the others do it for you)

install: .venv/installed ## Make .venv with what the app needs to run, and nothing else

.venv/ready: requirements-dev.txt
.venv/installed: requirements.txt
.venv/ready .venv/installed:
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exec $$python -m venv .venv; \
	done; echo "Python 3.11 or newer is needed. Install it, or name yours: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

demo: setup ## Try the app in a browser: no account needed
	@$(BIN)/python app.py sandbox

test: setup ## Run the tests, in a few minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"

test-all: setup ## Run the slow tests too, and measure the branches they cover
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --hypothesis-profile thorough --cov --cov-report=term

check: lint types test ## Check format, lint, types and tests

format: setup ## Format the code, and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: setup ## Check format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## Check the types
	$(BIN)/mypy .

texts: setup ## Print every text that people read in Slack, to review them
	@$(BIN)/python -m tests.texts

pictures: setup ## Regenerate the screenshots in docs/
	@mkdir -p docs
	$(BIN)/python -m tests.pictures docs

bench: setup ## Compare the app with Bolt apps, plain and with a job queue, for half an hour; QUICK=1 for minutes
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

bench-growth: setup ## Compare a database of 10 million surveys with a small one; ROWS=1000000 to try it, ON=postgresql
	@$(BIN)/python -m bench.growth $(if $(ROWS),--rows $(ROWS)) $(if $(ON),--on $(ON))

torture: setup ## Kill, freeze and cut off the app for three quarters of an hour; QUICK=1 for minutes; SEED=... to repeat
	@$(BIN)/python -m bench.torture $(if $(QUICK),--quick)

lock: ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --output-file requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --group dev --group bench --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
