# Everything a person does here is one word: `make help` lists them.

PYTHON ?=
ARGS ?=
BIN := .venv/bin
PYTEST := $(BIN)/pytest -q -n auto --dist load --maxschedchunk 1
READY := .venv/.ready
READY_DEMO := .venv/.ready-demo
READY_DEV := .venv/.ready-dev

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup serve demo tour test check lint bench again

help: ## list what make can do
	@awk -F ':.* ## ' '/^[a-z]+:.* ## /{printf "  make %-7s%s\n", $$1, $$2}' Makefile

setup: $(READY_DEV) ## make .venv with bbd and its development tools (PYTHON=... picks the interpreter)

serve: $(READY) ## serve the demo disk in worlds/demo, making it first if need be (ARGS=... for more options)
	@echo "$(BIN)/bbd serve --world worlds/demo$(if $(ARGS), $(ARGS))"
	@exec $(BIN)/bbd serve --world worlds/demo $(ARGS)

demo: $(READY_DEMO) ## the disk in a running Minecraft server: join with Minecraft 26.1 and watch (ARGS=... for more options)
	@test -e .cache/bbd-minestom.jar || scripts/install-test-packages mvn
	@echo "$(BIN)/bbd demo$(if $(ARGS), $(ARGS))"
	@exec $(BIN)/bbd demo $(ARGS)

tour: $(READY_DEV) ## the whole story on this terminal, with a real kernel in a virtual machine, without root
	@scripts/install-test-packages
	@scripts/tour $(ARGS)

test: $(READY_DEV) ## the whole test suite, with everything it needs (ARGS=... goes to pytest)
	@scripts/install-test-packages
	@$(PYTEST) $(ARGS)

check: $(READY_DEV) ## the quick tests, under a minute (ARGS=... goes to pytest)
	@$(PYTEST) -m "not (system or interop or torture or live_server or slow)" $(ARGS)

lint: $(READY_DEV) ## style, format and types
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { echo "Not formatted: run $(BIN)/ruff format"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@echo "lint: clean"

bench: $(READY_DEV) ## race bbd against other servers (ARGS=--quick, ARGS=--help, ...)
	@scripts/install-test-packages
	@$(BIN)/python -m bench $(ARGS)

# A PYTHON= given by hand may name another interpreter than the one that .venv was made with.
again:
$(READY) $(READY_DEMO) $(READY_DEV): pyproject.toml $(if $(PYTHON),again)

$(READY):
	@PYTHON="$(PYTHON)" scripts/setup-venv

$(READY_DEMO):
	@PYTHON="$(PYTHON)" scripts/setup-venv demo

$(READY_DEV):
	@PYTHON="$(PYTHON)" scripts/setup-venv dev
