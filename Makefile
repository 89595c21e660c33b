# Needs Python 3.11 or newer and make; everything else is installed into .venv from the hash-locked lists.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: demo test lint types bench soak lock clean

demo: $(READY)  ## a night of the made-up county
	@$(BIN)/hedui demo

test: $(READY)  ## every test, the house's own rules among them
	@$(BIN)/python -m pytest -q -n auto

lint: $(READY)
	@$(BIN)/ruff check .

types: $(READY)
	@$(BIN)/mypy

bench: $(READY)  ## the README's figures
	@$(BIN)/python bench/night.py

soak: $(READY)  ## the tests again and again with other seeds: make soak ROUNDS=50
	@for seed in $$(seq 1 $(or $(ROUNDS),20)); do \
	  PYTHONHASHSEED=$$seed $(BIN)/python -m pytest -q -n auto -p no:cacheprovider --hypothesis-seed=$$seed || exit 1; done

lock:  ## write the lists anew (for maintainers: needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.txt

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hedui needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
