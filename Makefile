# Every target makes .venv and installs what it needs; run `make demo` or `make test` on a fresh clone.
# `make setup PYTHON=/path/to/python3.12` chooses the interpreter.
# On Linux without an NVIDIA GPU, `make setup TORCH_INDEX=<address>` takes PyTorch from the address that
# pytorch.org gives for CPU wheels: the ordinary ones bring gigabytes of CUDA.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell packaging/find_python.sh)
TORCH_INDEX ?=
PIP := $(BIN)/python -m pip
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.PHONY: setup demo test check bench check-gui fuzz docs docs-check package package-check bundle bundle-check check-deps release-check clean

setup: $(VENV)/.packages $(VENV)/.system

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install it, or say: make setup PYTHON=/path/to/it"; exit 1; }
	packaging/make_venv.sh "$(PYTHON)" $(VENV)
	@touch $@

$(VENV)/.packages: pyproject.toml packaging/constraints.txt | $(VENV)/.python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(if $(TORCH_INDEX),$(PIP) install --quiet -c packaging/constraints.txt --index-url $(TORCH_INDEX) torch)
	$(PIP) install --quiet -c packaging/constraints.txt -e ".[dev]"
	@touch $@

$(VENV)/.system: packaging/system_packages.sh | $(VENV)/.python
	@packaging/system_packages.sh offscreen
	@touch $@

demo: setup
	@packaging/demo.sh $(BIN)

test: setup
	@rm -f .coverage
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --cov --cov-report=term
	@$(BIN)/python tests/full_coverage.py

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest tests/bench -q -o python_files='bench_*.py' -o python_functions='bench_*'

fuzz: setup
	OMP_NUM_THREADS=1 QT_QPA_PLATFORM=offscreen $(BIN)/python -W ignore -m tests.fuzz.campaign --minutes $${MINUTES:-1} $(READERS)

check-gui: setup
	@packaging/check_gui.sh $(BIN)

$(VENV)/.documenting: pyproject.toml packaging/constraints.txt | $(VENV)/.packages
	$(PIP) install --quiet -c packaging/constraints.txt -e ".[docs]"
	@touch $@

docs: setup $(VENV)/.documenting
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict -f packaging/mkdocs.yml
	@echo "Open build/docs/index.html"

docs-check: docs
	$(BIN)/python packaging/check_docs.py

$(VENV)/.building: pyproject.toml packaging/constraints.txt | $(VENV)/.packages
	$(PIP) install --quiet -c packaging/constraints.txt -e ".[build]"
	@touch $@

package: setup $(VENV)/.building
	@packaging/make_package.sh $(BIN)

bundle: setup $(VENV)/.building
	@packaging/make_bundle.sh $(BIN)

bundle-check: setup
	@packaging/system_packages.sh gui-check
	$(BIN)/python packaging/check_bundle.py dist/mtm-viewer

check-deps: setup
	$(BIN)/python packaging/check_deps.py

release-check: setup
	$(BIN)/python packaging/release.py

package-check: package
	$(BIN)/python packaging/check_package.py dist

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage demo.png
