# Every target works on a fresh clone: what it needs is installed into .venv first.
PYTHON ?= python3
BIN := .venv/bin
# An edit of Python needs no new installation, since that is editable; these files do.
SOURCES := $(shell find csrc cmake zoo -type f) CMakeLists.txt pyproject.toml

# Denoisers to compare with, each in an environment of its own; tk_r_em's needs Python 3.11.
DENOISERS := tk_r_em bm3d bmnd
PEER_PYTHON ?= python3.11

.PHONY: demo test test-windows test-integrations fuzz bench bench-denoise lint format cpp-test python-test runtime-test training-test table clean windows-tools

demo: .venv/runtime  ## the main job: a noisy, drifting series becomes one clean picture
	mkdir -p demo && $(BIN)/stemzoo demo -o demo/demo.png --overwrite

test: lint cpp-test python-test  ## everything CI runs

fuzz: .venv/dev  ## a hundred thousand spoilt models at the gate before ONNX Runtime
	$(BIN)/python -m tests.fuzz.gate --count 100000

bench: .venv/bench  ## side by side with the peers, into benchmarks/results.md
	$(BIN)/python -m benchmarks

bench-denoise: .venv/dev $(DENOISERS:%=.venv-%/ready)  ## side by side, into benchmarks/denoise.md
	$(BIN)/python -m benchmarks.denoise

lint: .venv/dev  ## ruff, mypy strict, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find csrc tests/cpp -name '*.?pp' | xargs $(BIN)/clang-format --dry-run -Werror

format: .venv/dev  ## what lint asks for, done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find csrc tests/cpp -name '*.?pp' | xargs $(BIN)/clang-format -i

cpp-test: .venv/dev  ## the C++ tests, as released and under ASan + UBSan
	tests/cpp/run $(BIN) release sanitize

test-windows: windows-tools .venv/dev  ## the C++ tests as Windows programs: MinGW-w64, Wine
	tests/cpp/run $(BIN) windows

windows-tools:
	@command -v x86_64-w64-mingw32-g++-posix >/dev/null && command -v wine >/dev/null || \
		(echo "MinGW-w64 or Wine is missing: on Debian and Ubuntu," \
		"apt install g++-mingw-w64-x86-64-posix wine wine64" && false)

python-test: .venv/dev  ## both folders at the same time: most tests keep one core busy
	$(MAKE) --output-sync=recurse -j2 runtime-test training-test

runtime-test training-test: %-test: .venv/dev
	$(BIN)/python -m pytest tests/$(if $(filter runtime,$*),python,training)

test-integrations: .venv-nion/ready  ## the plug-in in Nion Swift, at its simulated microscope
	.venv-nion/bin/python -m pytest tests/integrations

table: .venv/dev  ## the tables and pictures of the README and docs, from what is committed
	$(BIN)/stemzoo demo -o docs/demo.png --overwrite
	$(BIN)/python -m benchmarks.readme
	$(BIN)/python -m training.papers
	$(BIN)/python -m training.drift_page

.venv/python:
	$(PYTHON) -m venv .venv || (echo "no venv: on Debian and Ubuntu, apt install python3-venv" && false)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet cmake ninja pybind11 scikit-build-core  # what the core is built by
	touch $@

# The build tools stay in .venv, so that a change of csrc compiles that file alone.
INSTALL := $(BIN)/pip install --quiet --no-build-isolation --editable

.venv/runtime: .venv/python $(SOURCES)
	$(INSTALL) ".[cpu]"
	touch $@

# torch is pinned to a release whose CPU build is small; a bare "torch" may bring gigabytes of CUDA.
.venv/dev: .venv/runtime
	$(BIN)/pip install --quiet torch==2.13.0
	$(INSTALL) ".[cpu,io,train,test]"
	touch $@

.venv/bench: .venv/dev
	$(INSTALL) ".[cpu,io,train,test,bench]"
	touch $@

.venv-tk_r_em/ready: PACKAGES = tk-r-em==1.0.4 tensorflow-cpu==2.15.1 "numpy<2"
.venv-bm3d/ready: PACKAGES = bm3d==4.0.3
.venv-bmnd/ready: PACKAGES = bmnd==0.3.0

# Where a peer cannot be had, the comparison goes on without it.
$(DENOISERS:%=.venv-%/ready):
	$(PEER_PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet $(PACKAGES) \
		&& touch $@ || echo "left out, for it could not be installed: $(PACKAGES)"

# Not editable: Nion Swift looks for plug-ins in folders, which an editable installation has not.
.venv-nion/ready: .venv/python $(SOURCES) $(shell find python nionswift_plugin -name '*.py')
	$(PYTHON) -m venv .venv-nion && .venv-nion/bin/python -m pip install --quiet --upgrade pip
	rm -f .venv-nion/stemzoo-*.whl
	$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir .venv-nion .
	.venv-nion/bin/pip install --quiet pytest "$$(ls $(CURDIR)/.venv-nion/stemzoo-*.whl)[cpu,nion]"
	.venv-nion/bin/pip install --quiet --force-reinstall --no-deps .venv-nion/stemzoo-*.whl
	touch $@

clean:
	rm -rf build dist demo .venv .venv-nion
