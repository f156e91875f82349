/* SPDX-License-Identifier: Apache-2.0 */
/* The plan against the programs that were built; nothing is loaded. */
#include <errno.h>
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

/* Each is known to --methods, and hangs on something. */
static void check_methods(const struct plan_hook *h)
{
	char err[200];

	for (size_t i = 0; i < PLAN_METHODS && h->methods[i].method; i++) {
		if (plan_check_methods(h->methods[i].method, err, sizeof(err)))
			fail_msg("%s: %s", h->hook, err);
		assert_non_null(h->methods[i].programs[0]);
	}
}

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
		assert_non_null(h->methods[0].programs[0]);
		check_methods(h);
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

/* What hangs on the end of a function counts as what hangs on its start. */
static bool is_of_method(const char *section, const char *method)
{
	size_t n = strcspn(section, "/");

	if (!strncmp(section, "fexit/", 6))
		return !strcmp(method, "fentry");
	if (!strncmp(section, "kretprobe/", 10))
		return !strcmp(method, "kprobe");
	return strlen(method) == n && !strncmp(section, method, n);
}

static void check_program(const struct rstscope *skel, const char *name,
			  const char *method)
{
	const struct bpf_program *p =
		bpf_object__find_program_by_name(skel->obj, name);
	const char *section;

	if (!p)
		fail_msg("no program %s", name);
	section = bpf_program__section_name(p);
	if (!is_of_method(section, method))
		fail_msg("%s is in %s, not %s", name, section, method);
	/* each is enabled by the plan, none by itself */
	assert_false(bpf_program__autoload(p));
}

static size_t uses_of(const char *program)
{
	size_t uses = 0;

	for (size_t i = 0; i < plan_hooks_count; i++) {
		const struct plan_method *m = plan_hooks[i].methods;

		for (size_t j = 0; j < PLAN_METHODS && m[j].method; j++) {
			uses += m[j].canary && !strcmp(m[j].canary, program);
			for (size_t k = 0;
			     k < PLAN_PROGRAMS && m[j].programs[k]; k++)
				uses += !strcmp(m[j].programs[k], program);
		}
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

		for (size_t j = 0; j < PLAN_METHODS && m[j].method; j++)
			for (size_t k = 0;
			     k < PLAN_PROGRAMS && m[j].programs[k]; k++)
				check_program(skel, m[j].programs[k],
					      m[j].method);
	}
	bpf_object__for_each_program(p, skel->obj)
	{
		if (uses_of(bpf_program__name(p)) != 1)
			fail_msg("%s has %zu rows", bpf_program__name(p),
				 uses_of(bpf_program__name(p)));
	}
	rstscope__destroy(skel);
}

static bool has_in_btf(const char *name, uint32_t kind, void *btf)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static void test_what_btf_holds(void **state)
{
	static const struct {
		const char *section;
		bool possible;
	} cases[] = {
		{"tp_btf/here", true},	      {"tp_btf/gone", false},
		{"raw_tp/here", true},	      {"raw_tp/function", false},
		{"iter/here", true},	      {"iter/gone", false},
		{"fentry/function", true},    {"fentry/gone", false},
		{"fexit/function", true},     {"fexit/here", false},
		{"kprobe/function", true},    {"kprobe/an_enum", false},
		{"kretprobe/gone", false},    {"tp/any/thing", true},
		{"kprobe/module:gone", true},
	};
	struct btf *btf = btf__new_empty();

	(void)state;
	assert_non_null(btf);
	assert_int_equal(btf__add_int(btf, "int", 4, BTF_INT_SIGNED), 1);
	assert_true(btf__add_typedef(btf, "btf_trace_here", 1) > 0);
	assert_true(btf__add_struct(btf, "bpf_iter__here", 8) > 0);
	assert_true(btf__add_enum(btf, "an_enum", 4) > 0);
	assert_int_equal(btf__add_func_proto(btf, 1), 5);
	assert_true(btf__add_func(btf, "function", BTF_FUNC_GLOBAL, 5) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (plan_section_possible(cases[i].section, has_in_btf, btf) !=
		    cases[i].possible)
			fail_msg("%s", cases[i].section);
	btf__free(btf);
}

static const struct plan_hook example = {
	"example",
	NEED_WANTED,
	GROUP_CORE,
	{{"tp_btf", {"a"}},
	 {"fentry", {"b", "c"}},
	 {"kprobe", {"d", "e"}},
	 {"kprobe", {"f"}}},
	"nothing",
	NULL,
};

/* The methods that are possible, by their first program. */
static bool is_listed(const struct plan_method *m, void *programs)
{
	return strchr(programs, m->programs[0][0]);
}

/* The first programs of what is chosen, where load or attach refuse all. */
static void expect_order(const char *list, const char *possible,
			 const char *order)
{
	const struct plan_method *m;
	uint32_t tried = 0;
	char got[8] = "";

	while ((m = plan_next(&example, list, tried, is_listed,
			      (void *)possible))) {
		assert_true(strlen(got) < PLAN_METHODS);
		strcat(got, m->programs[0]);
		tried |= 1u << (m - example.methods);
	}
	assert_string_equal(got, order);
}

static void test_order(void **state)
{
	(void)state;
	expect_order(PLAN_METHODS_ALL, "abdf", "abdf");
	expect_order(PLAN_METHODS_ALL, "bf", "bf");
	expect_order(PLAN_METHODS_ALL, "", "");
	expect_order("kprobe", "abdf", "df");
	expect_order("kprobe,tp_btf", "abdf", "dfa");
	expect_order("raw_tp,iter", "abdf", "");
	expect_order("fentry,fentry", "abdf", "b");
}

static void test_list(void **state)
{
	char err[200] = "kept";

	(void)state;
	assert_int_equal(plan_check_methods(PLAN_METHODS_ALL, err, 200), 0);
	assert_int_equal(plan_check_methods("kprobe", err, 200), 0);
	assert_int_equal(plan_check_methods("iter,tp_btf", err, 200), 0);
	assert_string_equal(err, "kept");
	assert_int_equal(plan_check_methods("iter,tp_bt", err, 200), -EINVAL);
	assert_string_equal(
		err, "'tp_bt' is no method; there are " PLAN_METHODS_ALL);
	assert_int_equal(plan_check_methods("", err, 200), -EINVAL);
	assert_int_equal(plan_check_methods("iter tp_btf", err, 200), -EINVAL);
	assert_int_equal(plan_check_methods(",iter", err, 200), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_what_btf_holds),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
