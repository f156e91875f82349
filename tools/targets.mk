# SPDX-License-Identifier: Apache-2.0
# What people type besides `make`: running, testing, checking, installing.

.PHONY: deps deps-test run
deps:
	@tools/install-deps build
deps-test:
	@tools/install-deps test

run: deps ## sudo make run: install what is missing, build, run the daemon
	@$(MAKE) --no-print-directory all
	@echo 'In another terminal:  sudo build/rstscope tail'
	@exec $(BUILD)/rstscoped

.PHONY: debug
debug: ## both programs with ASan and UBSan, into build/debug/
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/debug OPT='-O1 -g -fno-omit-frame-pointer' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' all

.PHONY: debug-unit
debug-unit: ## the unit tests with ASan and UBSan
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/debug OPT='-O1 -g -fno-omit-frame-pointer' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' unit

.PHONY: lint format bpf-size
C_FILES = $(shell git ls-files '*.c' '*.h')
TIDY := $(patsubst %.c,$(BUILD)/tidy/%.txt,$(SRC) $(MAINS))
# cppcheck is kept from the skeleton, a string of 5 MB that it does not get through.
lint: $(PROGRAMS) $(TIDY) bpf-size check-man ## formatting, cppcheck, clang-tidy, size of the BPF programs
	$(call say,FORMAT,*.c *.h)
	@clang-format --dry-run $(C_FILES) >$(BUILD)/tidy/format.txt 2>&1
	$(call say,CHECK,user)
	@cppcheck --quiet --template=gcc --enable=warning,portability \
		--suppressions-list=tools/cppcheck.txt -I. --std=c11 user \
		>$(BUILD)/tidy/cppcheck.txt 2>&1
	@tools/lint-report $(BUILD)/tidy/format.txt $(BUILD)/tidy/cppcheck.txt $(TIDY)

# One file at a time, so that `make -j` shares them out and a second run looks
# at what changed. It fails where it could not parse.
$(TIDY): $(BUILD)/tidy/%.txt: $(BUILD)/%.o .clang-tidy | $(BUILD)/compile_commands.json
	$(call say,TIDY,$*.c)
	@mkdir -p $(@D)
	@clang-tidy --quiet -p $(BUILD) $*.c >$@ 2>&1 || { cat $@; exit 1; }

format: ## clang-format over every C file
	@clang-format -i $(C_FILES)

# Section sizes are 8 bytes an instruction.
bpf-size: $(BUILD)/rstscope.bpf.o
	@echo 'BPF program            instructions'
	@llvm-readelf -S --wide $< | tools/bpf-size

$(BUILD)/compile_commands.json: Makefile tools/targets.mk $(SRC) $(MAINS)
	@mkdir -p $(@D)
	@for f in $(SRC) $(MAINS); do \
		printf '{"directory":"%s","file":"%s","command":"clang %s %s -c %s"},\n' \
			'$(CURDIR)' "$$f" '$(patsubst -I$(BUILD)/%,-isystem $(BUILD)/%,$(filter-out $(WARN),$(CFLAGS)))' '$(PKG_CFLAGS)' "$$f"; \
	done | sed '1s/^/[/;$$s/,$$/]/' >$@

compile_commands.json: $(BUILD)/compile_commands.json ## for editors
	@ln -sf $< $@

.PHONY: install
install: all man ## into PREFIX (/usr/local) under DESTDIR
	install -D -m 755 $(BUILD)/rstscoped $(DESTDIR)$(PREFIX)/bin/rstscoped
	install -D -m 755 $(BUILD)/rstscope $(DESTDIR)$(PREFIX)/bin/rstscope
	install -D -m 644 tools/rstscope.conf $(DESTDIR)/etc/rstscope/rstscope.conf
	for page in 1 8 5; do \
		for file in $(BUILD)/man/*.$$page; do \
			install -D -m 644 $$file \
				$(DESTDIR)$(PREFIX)/share/man/man$$page/$${file##*/}; \
		done; \
	done
	install -D -m 644 $(BUILD)/completions/rstscope.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/rstscope
	install -D -m 644 $(BUILD)/completions/_rstscope \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rstscope
	install -D -m 644 $(BUILD)/completions/rstscope.fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rstscope.fish
	sed 's|/usr/local|$(PREFIX)|' tools/rstscope.service | \
		install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/rstscope.service
