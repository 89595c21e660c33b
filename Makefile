# Needs Python 3.11 or newer and make; everything else is installed into .venv from the hash-locked lists, and then hedui's own wheel.
PYTHON ?= python3
BIN := .venv/bin
LOCKED := .venv/locked
READY := .venv/ready
SHIPPED := pyproject.toml README.md cli.py $(shell find verify rules fixtures/county fixtures/county-a/drop -type f -not -name '*.pyc')
# The oldest C library of the platforms we serve (Kylin V10, UOS: glibc 2.28); a wheel for a newer one would not load there.
MACHINE ?= $(shell uname -m)
PLATFORMS := $(foreach tag,manylinux_2_28 manylinux_2_27 manylinux_2_26 manylinux_2_24 manylinux_2_17 manylinux2014,--platform $(tag)_$(MACHINE))

.PHONY: demo test lint types bench soak wheel wheelhouse lock clean

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
	@$(BIN)/python -m bench.encryption
	@$(BIN)/python bench/reading.py
	@$(BIN)/python -m bench.second_night
	@$(BIN)/python -m bench.rules.national
	@$(BIN)/python -m bench.rules.against_sql
	@$(BIN)/python -m bench.simulate

soak: $(READY)  ## the tests again and again with other seeds, then damage to every reader: make soak ROUNDS=50 SECONDS=600
	@for seed in $$(seq 1 $(or $(ROUNDS),20)); do \
	  PYTHONHASHSEED=$$seed $(BIN)/python -m pytest -q -n auto -p no:cacheprovider --hypothesis-seed=$$seed || exit 1; done
	@SOAK_SECONDS=$(or $(SECONDS),600) $(BIN)/python -m pytest -q -s -m soak -n 0 -p no:cacheprovider

lock:  ## write the lists anew (for maintainers: needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.txt

wheel: $(READY)  ## dist/hedui-*.whl: the program, its rules and the made-up county
	@ls dist/hedui-*.whl

wheelhouse: $(READY)  ## every wheel for a machine without network, locked by hash: make wheelhouse MACHINE=aarch64
	@rm -rf wheelhouse && mkdir wheelhouse
	@$(BIN)/python -m pip download -qq --disable-pip-version-check --only-binary :all: $(PLATFORMS) --require-hashes -r requirements.txt -d wheelhouse
	@cp dist/hedui-*.whl wheelhouse/
	@cp requirements.txt wheelhouse/requirements.txt
	@cd wheelhouse && version=$$(ls hedui-*.whl | cut -d- -f2) && echo "hedui==$$version $$(../$(BIN)/python -m pip hash hedui-*.whl | tail -1)" >> requirements.txt
	@du -sh wheelhouse
	@echo "there: python3 -m pip install --no-index --find-links wheelhouse --require-hashes -r wheelhouse/requirements.txt"

$(LOCKED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hedui needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(READY): $(LOCKED) $(SHIPPED)
	@rm -rf dist
	@$(BIN)/python -m hatchling build -t wheel -d dist >/dev/null
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-index --force-reinstall dist/hedui-*.whl
	@touch $@

clean:
	@rm -rf .venv build dist wheelhouse .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
