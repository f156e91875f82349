/* SPDX-License-Identifier: Apache-2.0 */
/* The plan against the programs that were built; nothing is loaded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "rstscope.skel.h"
#include "user/base/base.h"
#include "user/observe/observe.h"
#include "user/observe/plan.h"

static void test_rows(void **state)
{
	(void)state;
	assert_in_range(plan_hooks_count, 1, PROBES_MAX);
	for (size_t i = 0; i < plan_hooks_count; i++) {
		const struct plan_hook *h = &plan_hooks[i];

		assert_true(h->hook && h->hook[0]);
		assert_true(strlen(h->hook) <
			    sizeof(((struct probe_status *)0)->hook));
		assert_true(h->blind && h->blind[0]);
		assert_non_null(h->methods[0].program);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(plan_hooks[j].hook, h->hook);
	}
}

static int to_silence(enum libbpf_print_level level, const char *format,
		      va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static void check_method(const struct rstscope *skel,
			 const struct plan_method *m)
{
	const struct bpf_program *p =
		bpf_object__find_program_by_name(skel->obj, m->program);
	const char *section;
	size_t n = strlen(m->method);

	if (!p)
		fail_msg("no program %s", m->program);
	section = bpf_program__section_name(p);
	section += *section == '?';
	if (strncmp(section, m->method, n) || section[n] != '/')
		fail_msg("%s is in %s, not %s", m->program, section, m->method);
	/* each is enabled by the plan, none by itself */
	assert_false(bpf_program__autoload(p));
}

static size_t uses_of(const char *program)
{
	size_t uses = 0;

	for (size_t i = 0; i < plan_hooks_count; i++) {
		const struct plan_method *m = plan_hooks[i].methods;

		for (size_t j = 0; j < PLAN_METHODS && m[j].program; j++)
			uses += !strcmp(m[j].program, program) ||
				(m[j].canary && !strcmp(m[j].canary, program));
	}
	return uses;
}

static void test_programs(void **state)
{
	struct rstscope *skel;
	struct bpf_program *p;

	(void)state;
	libbpf_set_print(to_silence);
	skel = rstscope__open();
	if (!skel)
		fail_msg("the object cannot be opened");
	for (size_t i = 0; i < plan_hooks_count; i++) {
		const struct plan_method *m = plan_hooks[i].methods;

		for (size_t j = 0; j < PLAN_METHODS && m[j].program; j++)
			check_method(skel, &m[j]);
	}
	bpf_object__for_each_program(p, skel->obj)
	{
		if (uses_of(bpf_program__name(p)) != 1)
			fail_msg("%s has %zu rows", bpf_program__name(p),
				 uses_of(bpf_program__name(p)));
	}
	rstscope__destroy(skel);
}

static void test_possible(void **state)
{
	struct btf *btf = btf__new_empty();
	struct plan_method m = {.program = "p", .method = "tp_btf"};

	(void)state;
	assert_non_null(btf);
	assert_true(btf__add_int(btf, "int", 4, BTF_INT_SIGNED) == 1);
	assert_true(btf__add_typedef(btf, "btf_trace_here", 1) > 0);
	assert_true(btf__add_struct(btf, "bpf_iter__here", 8) > 0);
	assert_true(btf__add_enum(btf, "an_enum", 4) > 0);
	assert_true(plan_method_possible(&m, btf)); /* needs nothing */
	m.needs = "btf_trace_here";
	assert_true(plan_method_possible(&m, btf));
	m.needs = "bpf_iter__here";
	assert_true(plan_method_possible(&m, btf));
	m.needs = "btf_trace_not_here";
	assert_false(plan_method_possible(&m, btf));
	m.needs = "an_enum";
	assert_false(plan_method_possible(&m, btf));
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_possible),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
