# Smelt: `make` installs what it needs, builds, and runs the main job on the samples; `make test` runs all tests.
SHELL := /bin/bash
PREFIX ?= /usr/local
SMELT_SHARED ?= ../shared
SEEDS ?= 0..499
OBJECTS ?= 100000
KILLS ?= 500
FILES ?= 1000000
export SMELT_SHARED

# LLVM's major version: 19 ships, 22 is a second witness. Its builds lie in a folder of their own.
LLVM ?= 19
BUILD := .build$(if $(filter-out 19,$(LLVM)),/llvm-$(LLVM))
BIN := $(BUILD)/release
export SMELT_LLVM := $(LLVM)
export SMELT_BUILD := $(CURDIR)/$(BUILD)
export SMELT_BIN := $(CURDIR)/$(BIN)
export PKG_CONFIG_PATH := $(CURDIR)/$(BUILD)/pkgconfig:$(PKG_CONFIG_PATH)

SWIFT_FLAGS := -c release -Xswiftc -enable-testing --scratch-path $(BUILD)
SWIFT_BUILD := swift build $(SWIFT_FLAGS)

LIBRARY := $(BUILD)/library

.PHONY: all build library library-test library-sanitizers install demo samples bless-samples test runtime-test spec fuzz damage mutations kills ways chains witness bombs arrows format lint check bench clean

all: build demo

# Packages, LLVM's and blst's pkg-config files, then the two programs.
build:
	@Scripts/install-packages.sh
	@Scripts/prepare-libraries.sh
	$(SWIFT_BUILD) --product smelt
	$(SWIFT_BUILD) --product smelt-worker

# The C interface: libsmelt.so, smelt.h and smelt.pc.
library:
	@Scripts/install-packages.sh
	@Scripts/prepare-libraries.sh
	$(SWIFT_BUILD) --product smelt-interface
	@PREFIX=$(PREFIX) Scripts/build-library.sh

install: build library
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include
	install -m 644 $(LIBRARY)/libsmelt.so.1 $(DESTDIR)$(PREFIX)/lib/
	ln -sf libsmelt.so.1 $(DESTDIR)$(PREFIX)/lib/libsmelt.so
	install -m 644 $(LIBRARY)/smelt.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 $(LIBRARY)/smelt.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	install -m 755 $(BIN)/smelt $(BIN)/smelt-worker $(DESTDIR)$(PREFIX)/bin/
	$(BIN)/smelt --generate-man-page > $(DESTDIR)$(PREFIX)/share/man/man1/smelt.1
	$(BIN)/smelt --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/smelt

# The sample actors (C, Embedded Swift, WAT), compiled from their sources to .build/samples.
samples: build
	@Scripts/build-samples.sh

# Compiles the sample actors to native code and replays messages to them.
demo: samples
	@Scripts/demo.sh

# Records the sample vectors again (the reference interpreter is the witness); read the diff before committing.
bless-samples: samples
	@Scripts/bless-samples.sh

test: build samples runtime-test arrows library-test
	swift test $(SWIFT_FLAGS)

# The library's programs in C, Go, Rust and Python, as far as these languages are installed, and its bad inputs.
library-test: library samples
	@Scripts/install-packages.sh golang-go rustc
	@Scripts/library-tests.sh

runtime-test:
	@Scripts/runtime-tests.sh

# The WebAssembly core test suites through the interpreter and the compiled path.
spec: build
	$(SWIFT_BUILD) --product smelt-spec
	$(BIN)/smelt-spec

# The library and its programs in C under the address and thread sanitizers.
library-sanitizers: samples
	@Scripts/library-sanitizers.sh

# Random modules SEEDS=A..B: compiled code in all ways against the interpreter, functions that trap at each of their
# instructions, and, where the PyPI package wasmtime is installed, wasmtime and wabt as further witnesses.
fuzz: build
	$(SWIFT_BUILD) --product smelt-fuzz
	@Scripts/fuzz.sh $(SEEDS)

# Changed objects with digests made anew, OBJECTS of them: each is refused, or sound by a walk of what is loaded.
damage: build
	@set -o pipefail; SMELT_ONLY=ArtifactFormat,ArtifactFormatTests SMELT_DAMAGE=$(OBJECTS) swift test -c release \
	    -Xswiftc -enable-testing --scratch-path .build/damage --filter DamageTests | grep -E 'refused|error'

# Changed archives, headers, messages and lists, FILES of each: none stops a decoder or gives a block under a wrong name.
mutations: build
	@set -o pipefail; SMELT_ONLY=Chain,ChainTests SMELT_MUTATIONS=$(FILES) swift test -c release \
	    -Xswiftc -enable-testing --scratch-path .build/mutations --filter MutationTests | grep -E 'Test|error'

# Compilations killed at random moments, KILLS of them; after each the store has nothing damaged.
kills: samples
	@Scripts/kills.sh $(KILLS)

# The mainnet vectors with every way of compiling: tiers, bounds modes, CPU levels.
ways: build
	@Scripts/ways.sh

# Chains of 200 tipsets for each generation of actors, made in the baseline tier and replayed in the optimising one.
chains: build
	SMELT_CHAINS=1 swift test $(SWIFT_FLAGS) --filter optimisedCodeComesToTheSameRoots

# Compiled code against the interpreter. PART=enumeration: small functions FROM.. (COUNT of them; default: all of the
# first part) over boundary values. PART=functions: every function of every actor of BUNDLES, with calls out of replayed
# messages (VECTORS), variations of them, ROUNDS at most, and generated ones; what the ledger .build/witness/functions.tsv
# has is not done again. Default: both.
FROM ?= 0
PART ?= enumeration functions
BUNDLES ?= $(wildcard $(SMELT_SHARED)/bundles/builtin-actors-mainnet-*.car.zst)
VECTORS ?= $(wildcard $(SMELT_SHARED)/vectors)
witness: build
	$(SWIFT_BUILD) --product smelt-witness
	@$(if $(filter enumeration,$(PART)),$(BIN)/smelt-witness enumeration --from $(FROM) $(if $(COUNT),--count $(COUNT)))
	@$(if $(filter functions,$(PART)),$(if $(BUNDLES),$(BIN)/smelt-witness functions $(BUNDLES) \
	    $(addprefix --vectors ,$(VECTORS)) $(if $(ROUNDS),--rounds $(ROUNDS)), \
	    echo "not run: no bundles (set SMELT_SHARED)"))

# Modules that stress the compiler, in all sizes up to 1 MiB and in both tiers: time and memory in bounds.
bombs: build
	$(SWIFT_BUILD) --product smelt-witness
	@$(BIN)/smelt-witness bombs $(if $(FAMILIES),--families $(FAMILIES))

# Allowed imports between the layers.
arrows:
	@Scripts/check-arrows.py

format:
	swift format --in-place --recursive Package.swift Sources Tests

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

check: lint arrows test

bench: build
	@Benchmarks/run.sh

clean:
	rm -rf .build
