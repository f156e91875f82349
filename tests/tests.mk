# SPDX-License-Identifier: Apache-2.0
# The tests: what is built for them, and the targets that run them.

E2E_SRC := $(sort $(wildcard tests/e2e/e2e_*.c))
E2E_HARNESS := $(patsubst %.c,$(BUILD)/%.o,\
	$(filter-out $(E2E_SRC),$(sort $(wildcard tests/e2e/*.c))))
E2E := $(E2E_SRC:%.c=$(BUILD)/%)
FUZZ := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 5
FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -I. -I$(BUILD)/gen -O1 -g -w \
	-fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_OBJ := $(SRC:%.c=$(BUILD)/fuzz/%.o) $(BUILD)/fuzz/gen/syscalls.o
VM_KERNEL ?= 6.12
# Recorded runs of the scenarios, judged again.
REPLAY := tests/scenarios/replay
# Without and with a real Prometheus.
PROMETHEUS := tests/prometheus/files tests/prometheus/live
# What README and the man pages tell people to type.
EXAMPLES := tests/examples/documents

$(E2E): $(BUILD)/tests/e2e/%: $(BUILD)/tests/e2e/%.o $(E2E_HARNESS) $(LIB)
	$(call say,E2E,$@)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(PKG_LIBS) -lcmocka

# Its own functions are to be found on its stack.
$(BUILD)/tests/e2e/e2e_stacks.o: CFLAGS += -fno-omit-frame-pointer

# What a person sees: tmux types the keys and reads the screen.
TOP := $(BUILD)/tests/top/top_screen
$(TOP): $(BUILD)/%: %.c $(LIB)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -o $@ $< $(LIB) $(LDFLAGS) $(PKG_LIBS) -lcmocka

# What the kernels give, and what is expected of each.
SURVEY := $(BUILD)/tests/vm/survey
$(SURVEY): $(BUILD)/%: $(BUILD)/%.o $(E2E_HARNESS) $(LIB)
	$(call say,TEST,$@)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(PKG_LIBS) -lcmocka

# Object files of the harness outlive the link.
.SECONDARY: $(E2E_SRC:%.c=$(BUILD)/%.o) $(E2E_HARNESS)

# It starts the daemon as the end-to-end tests do.
WATCHED := $(BUILD)/tests/bench/reset_bench $(BUILD)/tests/bench/healthy_bench \
	$(BUILD)/tests/bench/scrape_bench
$(WATCHED): $(BUILD)/%: $(BUILD)/%.o $(E2E_HARNESS) $(LIB)
	$(call say,BENCH,$@)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(PKG_LIBS) -lcmocka

# Fuzzers link the sources once more, instrumented by clang.
$(BUILD)/fuzz/%.o: %.c | $(GEN)
	$(call say,FUZZCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link $(PKG_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(BUILD)/fuzz/gen/%.o: $(BUILD)/gen/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ): $(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJ)
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer $(PKG_CFLAGS) -o $@ $^ \
		$(PKG_LIBS)
.SECONDARY: $(FUZZ_OBJ)

.PHONY: test unit e2e vm bench fuzz demo test-programs
test-programs: $(PROGRAMS) $(UNIT) $(TOP) $(E2E) $(SURVEY)

# A clean clone has nothing yet: what the packages bring is asked for by the
# Makefile when it starts, so the build runs in a second make.
test: ## everything: installs what is missing, builds, one closing line
	@tools/install-deps test
	@$(MAKE) --no-print-directory test-programs
	@$(MAKE) --no-print-directory test-run

.PHONY: test-run
test-run:
	@RSTSCOPE_BUILD=$(BUILD) BUILD=$(BUILD) RSTSCOPE_LIMIT=1200 \
		tests/run unit $(UNIT) $(REPLAY) e2e $(E2E) \
		prometheus $(PROMETHEUS) examples $(EXAMPLES) \
		vm tests/vm/smoke

unit: $(UNIT) $(PROGRAMS) ## the unit tests: no root
	@RSTSCOPE_BUILD=$(BUILD) tests/run unit $(UNIT) $(REPLAY)

e2e: $(PROGRAMS) $(E2E) ## real resets in network namespaces: root
	@RSTSCOPE_BUILD=$(BUILD) tests/run e2e $(E2E)

.PHONY: prometheus
prometheus: $(PROGRAMS) ## rules, alerts and dashboard against a real Prometheus: root
	@RSTSCOPE_BUILD=$(BUILD) tests/run prometheus $(PROMETHEUS)

.PHONY: examples
examples: $(PROGRAMS) ## every example of README and the man pages: root
	@RSTSCOPE_BUILD=$(BUILD) tests/run examples $(EXAMPLES)

# Not in `make test`: the browser and npm are 500 MB of 370 packages, and two
# modules come from npm's registry, by the versions and hashes of the lock file.
MODULES := $(BUILD)/page/node_modules
.PHONY: page-test
page-test: ## the page in headless Chromium, pictures in build/page/: root
	@tools/install-deps page
	@$(MAKE) --no-print-directory $(PROGRAMS) $(MODULES)/.package-lock.json
	@PAGE_MODULES=$(MODULES) \
		node tests/page/check.mjs $(BUILD)/rstscoped $(BUILD)/page

$(MODULES)/.package-lock.json: tests/page/package.json tests/page/package-lock.json
	$(call say,NPM,$(MODULES))
	$(Q)mkdir -p $(BUILD)/page
	$(Q)cp $^ $(BUILD)/page/
	$(Q)npm ci --prefix $(BUILD)/page --no-audit --no-fund --loglevel=error >/dev/null || \
		{ echo 'page-test: npm brought no modules' >&2; exit 1; }
	$(Q)touch $@

vm: $(PROGRAMS) $(E2E) ## the same on another kernel: VM_KERNEL=6.12
	@BUILD=$(BUILD) tests/vm/run $(VM_KERNEL)

.PHONY: test-kernels
test-kernels: ## the end-to-end suite on every kernel from 5.10 on, x86-64 and arm64: root
	@tools/install-deps kernels
	@$(MAKE) --no-print-directory test-programs arm64
	@BUILD=$(BUILD) tests/vm/kernels $(KERNELS)

# Programs and tests for arm64, with the libraries of a tree of its own.
ARM64 := $(BUILD)/arm64
.PHONY: arm64
arm64: ## both programs and the tests, cross-compiled into build/arm64/
	@tools/install-deps kernels
	@mkdir -p $(ARM64)
	@BUILD=$(BUILD) tests/vm/sysroot $(ARM64)
	@PKG_CONFIG_SYSROOT_DIR=$(abspath $(ARM64)/sysroot) \
		PKG_CONFIG_LIBDIR=$(abspath $(ARM64)/sysroot)/usr/lib/aarch64-linux-gnu/pkgconfig \
		$(MAKE) --no-print-directory BUILD=$(ARM64) ARCH=arm64 \
		CC=$(ARM64)/cc AR=aarch64-linux-gnu-ar $(ARM64)/rstscoped \
		$(ARM64)/rstscope $(E2E:$(BUILD)/%=$(ARM64)/%) \
		$(SURVEY:$(BUILD)/%=$(ARM64)/%)

bench: $(PROGRAMS) $(BENCH) ## cost and loss beside tcpdump: root
	@set -e; for b in $(filter-out %/calibration,$(BENCH)); do \
		RSTSCOPE_BUILD=$(BUILD) $$b; done

CALIBRATION := $(BUILD)/tests/bench/calibration
RECORDED := tests/golden/scenarios/records.xz
JUDGED ?= $(RECORDED)
.PHONY: calibration
calibration: $(CALIBRATION) $(PROGRAMS) ## what confidences are worth: JUDGED=DIR of another scenario run
	@RSTSCOPE_BUILD=$(BUILD) python3 tests/scenarios/run.py --again $(JUDGED) \
		--work $(BUILD)/judged >/dev/null || [ $$? -eq 1 ]
	@$(CALIBRATION) tests/golden $(BUILD)/judged/judged

.PHONY: scenarios scenarios-golden
scenarios: ## the causes on real programs, one end visible: root
	@tools/install-deps scenarios
	@$(MAKE) --no-print-directory $(PROGRAMS)
	@RSTSCOPE_BUILD=$(BUILD) python3 tests/scenarios/run.py -j2 \
		--work $(BUILD)/scenarios $(SAVE) $(SCENARIOS)

scenarios-golden: ## the same, recorded for make unit: root; SCENARIOS=NAME one of them
	@$(MAKE) --no-print-directory scenarios SAVE="--save $(RECORDED)"

fuzz: $(FUZZ) ## each parser of outside bytes, FUZZ_SECONDS=5 each
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ)

demo: deps ## two minutes for rstscope: failures made, shown, explained: root
	@$(MAKE) --no-print-directory $(PROGRAMS)
	@RSTSCOPE_BUILD=$(BUILD) tests/e2e/demo
