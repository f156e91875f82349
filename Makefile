# SPDX-License-Identifier: Apache-2.0
# rstscope. `make help` lists what there is; V=1 shows the commands.

VERSION := 0.1.0
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
CC := gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
AR ?= ar
BUILD ?= build
PREFIX ?= /usr/local
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
PACKAGES := libbpf libelf libdw zlib sqlite3 libmicrohttpd jansson \
	libcap-ng libsystemd nettle ncursesw libcurl
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -linih -lm -pthread

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wformat=2 -Wno-format-nonliteral -Wno-missing-field-initializers -Werror
OPT ?= -O2 -g
CFLAGS += -std=gnu11 $(OPT) $(WARN) -D_GNU_SOURCE -I. -I$(BUILD)/gen $(SANITIZE)
LDFLAGS += $(SANITIZE)
BPF_CFLAGS := -g -O2 -fno-strict-aliasing -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -DRSTSCOPE_BPF \
	-I. -I/usr/include/$(shell uname -m)-linux-gnu -Wall -Wextra -Wno-unused-parameter -Werror

MAINS := user/daemon/main.c user/cli/main.c
SRC := $(sort $(filter-out $(MAINS),$(wildcard user/*/*.c)))
OBJ := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/gen/syscalls.o
BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
# Files of hooks are compiled once more, with probe reads: see bpf/stub.h.
BPF_TWICE := $(shell grep -l '"bpf/stub.h"' $(BPF_SRC))
# The file that defines the maps comes first: the linker wants it so.
BPF_OBJ := $(patsubst %.c,$(BUILD)/%.o,bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(BPF_SRC))) \
	$(patsubst %.bpf.c,$(BUILD)/%.probe.o,$(BPF_TWICE))
SKEL := $(BUILD)/gen/rstscope.skel.h
GEN := $(SKEL) $(BUILD)/gen/version.h $(EXTRA_GEN)
LIB := $(BUILD)/librstscope.a
PROGRAMS := $(BUILD)/rstscoped $(BUILD)/rstscope
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))

.PHONY: all
all: $(PROGRAMS) ## build both programs into build/

-include tests/tests.mk
-include tools/man.mk
include tools/targets.mk

$(BUILD)/rstscoped: $(BUILD)/user/daemon/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/rstscope: $(BUILD)/user/cli/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(LIB): $(OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsP $@ $^

$(BUILD)/%.o: %.c | $(GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# The page is part of the program: see page.c.
PAGE := $(wildcard user/serve/page/* /usr/share/javascript/chart.js/chart.min.js) \
	user/serve/openapi.json user/store/event.schema.json
$(BUILD)/user/serve/page.o $(BUILD)/fuzz/user/serve/page.o: $(PAGE)

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/gen/syscalls.c: tools/gen-syscalls
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)CC="$(CC)" tools/gen-syscalls >$@

$(BUILD)/gen/version.h: .FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '#define RSTSCOPE_VERSION "%s"\n#define RSTSCOPE_REVISION "%s"\n' \
		'$(VERSION)' '$(REVISION)' >$@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: .FORCE
.FORCE:

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/bpf/%.probe.o: bpf/%.bpf.c
	$(call say,BPF,$< with probe reads)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -DSOCK_PROBE_READ -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/rstscope.bpf.o: $(BPF_OBJ)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): $(BUILD)/rstscope.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name rstscope >$@

# A unit test links the whole library; its name is that of its module.
$(BUILD)/tests/unit/%: tests/unit/%.c $(LIB)
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -o $@ $< $(LIB) $(LDFLAGS) $(PKG_LIBS) -lcmocka

$(BUILD)/tests/bench/%: tests/bench/%.c $(LIB)
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -o $@ $< $(LIB) $(LDFLAGS) $(PKG_LIBS)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

.PHONY: clean
clean: ## remove build/
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name sysroot -prune -o -path '$(BUILD)/vm' -prune -o -type f -name '*.d' -print 2>/dev/null)
