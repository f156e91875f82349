# SPDX-License-Identifier: Apache-2.0
# Man pages and completions, made from the option tables of the programs that
# were just built, so that they cannot drift.

MAN := $(addprefix $(BUILD)/man/,rstscope.1 rstscoped.8 rstscope.conf.5)
COMPLETIONS := $(addprefix $(BUILD)/completions/,rstscope.bash _rstscope \
	rstscope.fish)
DUMPS := $(BUILD)/gen/rstscope.dump $(BUILD)/gen/rstscoped.dump

.PHONY: man
man: $(MAN) $(COMPLETIONS) ## man pages and completions into build/

$(BUILD)/gen/%.dump: $(BUILD)/%
	$(call say,DUMP,$@)
	$(Q)$< --dump-options >$@

$(BUILD)/man/%: user/man/%.in tools/gen-man $(DUMPS)
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tools/gen-man $< $(VERSION) $(DUMPS) >$@

$(BUILD)/completions/rstscope.bash: SHELL_NAME := bash
$(BUILD)/completions/_rstscope: SHELL_NAME := zsh
$(BUILD)/completions/rstscope.fish: SHELL_NAME := fish
$(COMPLETIONS): tools/gen-completions $(DUMPS)
	$(call say,COMPL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)tools/gen-completions $(SHELL_NAME) $(DUMPS) >$@

# Every option is in its page and in each completion, and what can be checked
# with the tools at hand is: groff's warnings, the shells' own syntax checks.
.PHONY: check-man
check-man: man ## check man pages and completions against the option tables
	$(Q)tools/check-man $(BUILD)
