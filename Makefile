# wireroom: `make help` lists what there is.

# Which Python makes the environment; empty: the first of python3.11 to 3.13 that runs.
PYTHON ?=
# Test processes. Three keep two cores at work, since what tests processes that die waits
# most of its time; `make test WORKERS=0` runs all in one.
WORKERS ?= 3
# Passed to pytest as they stand: `make unit ARGS="-k dates"`.
ARGS ?=

export PYTHON
BIN := .venv/bin
RUN := $(BIN)/python -m
PYTEST := $(BIN)/pytest
RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed
TRAIN := .venv-train/.train-installed

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

## Environment

.PHONY: setup
setup: $(DEV) ## make .venv with wireroom and all tools in it

.PHONY: lock
lock: $(DEV) ## resolve the dependencies anew (UPGRADE=1: take newer ones)
	@scripts/lock.sh

.PHONY: columns
columns: $(DEV) ## write docs/columns.md from the models
	@$(RUN) scripts.make_columns

.PHONY: clean
clean: ## remove caches, build results and the demo's data; .venv stays
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -rf .coverage .coverage.* htmlcov dist .demo
	@find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

$(RUNTIME): requirements.lock requirements-build.lock requirements-uv.lock pyproject.toml
	@scripts/setup.sh runtime

$(DEV): requirements-dev.lock requirements-uv.lock pyproject.toml
	@scripts/setup.sh dev

$(TRAIN): requirements-train.lock requirements-uv.lock
	@scripts/setup.sh train

## Checks

.PHONY: check
check: lint types imports drift migrations-check compose-check spell docs-check rules ## everything that CI checks before the tests

.PHONY: fmt
fmt: $(DEV) ## format the code and put right what can be put right
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: lint
lint: $(DEV) ## style and common faults
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(DEV) ## static types
	@$(BIN)/mypy

.PHONY: imports
imports: $(DEV) ## which room may import which
	@$(BIN)/lint-imports

.PHONY: drift
drift: $(DEV) ## migrations against models
	@$(RUN) scripts.check_drift

.PHONY: migrations-check
migrations-check: $(DEV) ## SQL of the migrations for locks that stop a running line
	@$(RUN) scripts.lint_migrations

.PHONY: compose-check
compose-check: $(DEV) ## docker-compose.yml against its schema, and the Dockerfile
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/hadolint Dockerfile

.PHONY: spell
spell: $(DEV) ## common misspellings
	@$(BIN)/codespell

.PHONY: docs-check
docs-check: $(DEV) ## links inside the documentation
	@$(RUN) scripts.check_links

.PHONY: rules
rules: $(DEV) ## rules of the house: addresses, paths, lengths
	@$(RUN) scripts.check_house

## Tests

.PHONY: test
test: $(DEV) ## the whole suite; PostgreSQL and Redis are found or brought along
	@$(PYTEST) -n $(WORKERS) $(ARGS)

.PHONY: unit
unit: $(DEV) ## tests that need no server
	@$(PYTEST) tests/unit tests/contract -m "not integration" $(ARGS)

.PHONY: integration
integration: $(DEV) ## tests on a real PostgreSQL and a real Redis
	@$(PYTEST) -m integration $(ARGS)

.PHONY: e2e
e2e: $(DEV) ## the whole line with real workers
	@$(PYTEST) -m e2e $(ARGS)

.PHONY: quality
quality: $(DEV) ## measures against labelled texts
	@PYTHONPATH=tests $(RUN) benchmarks.quality $(ARGS)

# Where the labelled sentences are; their README says what may be trained on.
CORPORA ?= ../shared/corpora/ner

.PHONY: train-crf
train-crf: $(DEV) ## train the model of English names on CORPORA (ARGS=--dev: try it)
	@$(RUN) training.entities.crf $(CORPORA) $(ARGS)

# Stopped, it goes on where it was; its checkpoints and weights lie here.
TRAINING ?= .training/minilm

.PHONY: train-minilm
train-minilm: $(TRAIN) ## train the neural model on CORPORA, an hour of one core (ARGS=--dev: try it)
	@.venv-train/bin/python -m training.entities.minilm $(CORPORA) $(TRAINING) $(ARGS)
	@$(if $(ARGS),,.venv-train/bin/python -m training.entities.export $(CORPORA) $(TRAINING))

## Use

.PHONY: demo
demo: $(RUNTIME) ## run the whole line once on the texts under seeds
	@$(BIN)/wireroom demo

.PHONY: bench
bench: $(DEV) ## measure what the line can carry
	@PYTHONPATH=.:tests $(RUN) benchmarks.line $(ARTICLES)

.PHONY: soak
soak: $(DEV) ## load ARTICLES=200000 and watch memory and queues (DATABASE=postgresql FORM=tar)
	@PYTHONPATH=.:tests $(RUN) benchmarks.soak $(or $(ARTICLES),200000) $(or $(DATABASE),sqlite) $(FORM)

.PHONY: burst
burst: $(DEV) ## load FILES=50000 and measure what feeds feel of it
	@PYTHONPATH=.:tests $(RUN) benchmarks.burst $(FILES)

# Feeds and days of the virtual clock, and which population of feeds.
FEEDS ?= 10000
DAYS ?= 30
SEED ?= 7

.PHONY: simulate
simulate: $(DEV) ## poll simulated feeds by our schedule and by those of others
	@$(RUN) benchmarks.simulate $(FEEDS) $(DAYS) $(SEED)

# Articles in the archive that is asked; a tenth of them still shows the picture.
ROWS ?= 1000000
ENGINES ?= postgresql sqlite

.PHONY: bench-store
bench-store: $(DEV) ## measure answers on a large archive (ROWS=100000: a quick one)
	@PYTHONPATH=tests $(RUN) benchmarks.store $(ROWS) $(ENGINES)

.PHONY: bench-copies
bench-copies: $(DEV) ## measure verdicts on copies in a large archive, and its index (ROWS, ENGINES)
	@PYTHONPATH=tests $(RUN) benchmarks.copies $(ROWS) $(ENGINES)

.PHONY: bench-store-writes
bench-store-writes: $(DEV) ## measure what storing articles costs, against the ORM
	@PYTHONPATH=tests $(RUN) benchmarks.store_writes $(ROUNDS)

.PHONY: bench-stories
bench-stories: $(DEV) ## measure what stories cost the store (ARTICLES=5000: a quick one)
	@PYTHONPATH=tests $(RUN) benchmarks.stories $(or $(ARTICLES),20000) $(ENGINES)

# The same seed brings the same faults in the same order; STATE is where a long
# campaign goes on after it was stopped.
MINUTES ?= 60
FAULTS ?= 500
BROKER ?= redis
STATE ?= .chaos
REPORT ?= docs/chaos.md
CHAOS := PYTHONPATH=.:tests $(RUN) benchmarks.chaos --seed $(SEED) --broker $(BROKER)

.PHONY: chaos
chaos: $(DEV) ## break everything around the line for three minutes, and count losses
	@$(CHAOS) --minutes 1.5

.PHONY: chaos-full
chaos-full: $(DEV) ## the long campaign, which can be stopped and goes on (SEED, MINUTES, FAULTS)
	@$(CHAOS) --minutes $(MINUTES) --faults $(FAULTS) --state $(STATE) --report $(REPORT)

.PHONY: bench-hostile
bench-hostile: $(DEV) ## measure what hostile documents take (ARGS="'deep HTML'": that one)
	@PYTHONPATH=.:tests $(RUN) benchmarks.hostile $(ARGS)

.PHONY: bench-feeds
bench-feeds: $(DEV) ## refresh 200 feeds side by side with the package reader (READER_FEEDS)
	@PYTHONPATH=.:tests $(RUN) benchmarks.feeds $(READER_FEEDS)

.PHONY: bench-extraction
bench-extraction: $(DEV) ## measure how fast pages and page dumps become articles (ARGS=rounds)
	@PYTHONPATH=.:tests $(RUN) benchmarks.extraction $(ARGS)

.PHONY: bench-enrich
bench-enrich: $(DEV) ## measure memory and speed of enrichment (TIERS="crf rules")
	@PYTHONPATH=. $(RUN) benchmarks.enrich $(CORPORA) $(TIERS)

.PHONY: bench-archives
bench-archives: $(DEV) ## measure what large files cost to read, and to go on in (RECORDS=100000)
	@$(RUN) benchmarks.archives $(RECORDS) $(FORMS)

.PHONY: bench-folder
bench-folder: $(DEV) ## measure what a watched folder costs (FILES=100000)
	@$(RUN) benchmarks.folder $(FILES)

.PHONY: bench-broker
bench-broker: $(DEV) ## measure what a message costs over Redis and RabbitMQ
	@PYTHONPATH=.:tests $(RUN) benchmarks.broker $(ARGS)
