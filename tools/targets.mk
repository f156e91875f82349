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
