# make help lists what there is. Only `make deps` (and what needs it) asks for root, and only if packages are missing.
BUILD ?= build
FUNCTION ?= aes-c
MESON_OPTIONS ?=
FUZZ_SECONDS ?= 60

# What `make run` hands on: make run FUNCTION=auth-c N=100 W=5 SYSTEM=simple OUT=folder
run_options = $(if $(N),-n $(N)) $(if $(W),-w $(W)) $(if $(SYSTEM),--system $(SYSTEM)) $(if $(OUT),--out $(OUT)) $(ARGS)

help:
	@echo 'make run            install what is missing, build, simulate a function (FUNCTION=aes-c N=10 W=20 SYSTEM=simple OUT=…)'
	@echo "make test           all tests but the slow ones (ARGS='-k NAME', --lf and all else that pytest knows)"
	@echo 'make test-slow      those that take minutes: two hours; interrupted, it goes on where it was (FRESH=1: from the start)'
	@echo 'make test-sanitize  the unit tests alone, with address and undefined-behaviour sanitizers'
	@echo 'make fuzz           hostile system files and servers for FUZZ_SECONDS=60'
	@echo 'make lint           what compilers do not see: clang-tidy, ruff, shellcheck; whether everything is formatted'
	@echo 'make format         clang-format and ruff on all files'
	@echo 'make bench          speed and size, as ratios; the client beside h2load'
	@echo 'make bench-gem5     speed beside a real gem5, $$GEM5'
	@echo 'make bench-accuracy  the timing models beside gem5, program by program'
	@echo 'make build          build/slsuite'
	@echo 'make deps           install the packages that are missing'
	@echo 'make install        into PREFIX=/usr/local (and DESTDIR=)'
	@echo 'make clean          remove what was built; results/ and ~/.cache/slsuite stay'

run: deps-run build
	@$(BUILD)/slsuite run $(FUNCTION) $(run_options)

# Debian's Python, which has pytest and grpcio, whatever Python is first on the PATH.
PYTEST = /usr/bin/python3 -m pytest tests --build $(BUILD)

test: deps-test build-tests build-sanitize
	@$(PYTEST) $(ARGS)

# What has passed on this same tree is not run again, unless FRESH=1.
test-slow: deps-test build-tests build-sanitize
	@$(if $(FRESH),rm -f $(BUILD)/slow-passed.jsonl)
	@$(PYTEST) --slow -m slow --resume $(BUILD)/slow-passed.jsonl $(ARGS)

test-sanitize: deps-test build-tests build-sanitize
	@$(PYTEST) -k sanitized $(ARGS)

fuzz: deps-test build-sanitize
	@tests/fuzz/run build-sanitize/tests/fuzz $(FUZZ_SECONDS)

# A build folder from before the tests' libraries were installed, as `make run` leaves it, knows no unit tests.
build-tests: $(BUILD)/build.ninja
	@[ -d $(BUILD)/tests/unit ] || said=$$(meson setup --reconfigure -Dtests=enabled $(BUILD) 2>&1) || { echo "$$said"; exit 1; }
	@$(MAKE) --no-print-directory build

# The unit tests and the fuzzers, with address and undefined-behaviour sanitizers: libFuzzer is clang's, and wants every function instrumented.
build-sanitize:
	@CC=clang $(MAKE) --no-print-directory BUILD=build-sanitize build TARGETS='unit-tests fuzz' \
	 MESON_OPTIONS='-Dfuzz=true -Dwerror=true -Dtests=enabled -Db_sanitize=address,undefined -Db_lundef=false'

lint: deps-lint build-tests
	@tools/lint/run --build=$(BUILD)

format: deps-lint
	@tools/lint/run --build=$(BUILD) --format

bench: deps-test build
	@bench/run $(BUILD)

# Beside a live gem5, $GEM5.
bench-gem5: deps-test build
	@bench/gem5 $(BUILD)

# Against gem5's counts for the reference programs; static, as gem5 ran them. ARGS=--json=FILE, ARGS=--system=simple
reference = $(patsubst bench/reference/src/%.c,$(BUILD)/reference/%,$(wildcard bench/reference/src/*.c))
reference: $(reference)
bench-accuracy: deps-run build reference
	@bench/accuracy $(BUILD) $(ARGS)

$(BUILD)/reference/%: bench/reference/src/%.c bench/reference/src/roi.h
	@mkdir -p $(@D)
	@gcc -O2 -static -o $@ $<

# What the programs print is shown only if something fails, or on a terminal.
build: $(BUILD)/build.ninja
	@if [ -t 1 ]; then NINJA_STATUS='  build  %p  (%f of %t)  '; export NINJA_STATUS; exec ninja -C $(BUILD) $(TARGETS); fi; \
	 exec ninja --quiet -C $(BUILD) $(TARGETS)

$(BUILD)/build.ninja:
	@echo 'build … (about 10 s)'
	@said=$$(meson setup $(BUILD) $(MESON_OPTIONS) 2>&1) || { echo "$$said"; rm -rf $(BUILD); exit 1; }

deps:
	@tools/install-dependencies
deps-run:
	@tools/install-dependencies run build
deps-lint:
	@tools/install-dependencies build test lint
deps-test:
	@tools/install-dependencies

install: build
	@said=$$(meson configure $(BUILD) -Dprefix=$(abspath $(or $(PREFIX),/usr/local)) && \
	 meson install -C $(BUILD) $(if $(DESTDIR),--destdir $(abspath $(DESTDIR))) 2>&1) || { echo "$$said"; exit 1; }
	@echo 'installed: $(DESTDIR)$(or $(PREFIX),/usr/local)/bin/slsuite'

clean:
	rm -rf build build-sanitize

# Packages before the build that needs them, also with -j; ninja uses all cores by itself.
.NOTPARALLEL:
.PHONY: help run test test-slow test-sanitize fuzz lint format bench bench-gem5 bench-accuracy reference build build-tests build-sanitize deps deps-run
.PHONY: deps-lint deps-test install clean
