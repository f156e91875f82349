/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "user/base/base.h"
#include "user/daemon/interval.h"

#define START 1790000000000000ll
#define AT(s) (START + (int64_t)((s)*USEC_PER_SEC))
#define same(c, from, until, clients, servers)                                 \
	do {                                                                   \
		assert_int_equal((c)->from_us, from);                          \
		assert_int_equal((c)->until_us, until);                        \
		assert_int_equal((c)->client, clients);                        \
		assert_int_equal((c)->server, servers);                        \
	} while (0)

static void minutes_without_a_gap(void **state)
{
	struct interval i;

	(void)state;
	interval_start(&i, AT(0), 100, 7);
	interval_update(&i, AT(2), 101, 7);
	same(&i.now, AT(0), AT(2), 1, 0);
	interval_update(&i, AT(60), 150, 9);
	same(&i.now, AT(0), AT(60), 50, 2);
	interval_update(&i, AT(62), 160, 9);
	same(&i.now, AT(60), AT(62), 10, 0);
	interval_update(&i, AT(200), 161, 10); /* it was held up */
	same(&i.now, AT(60), AT(200), 11, 1);
	interval_update(&i, AT(201), 161, 12);
	same(&i.now, AT(200), AT(201), 0, 2);
}

/* Nothing is counted twice, and no interval ends before it starts. */
static void the_clock_goes_back(void **state)
{
	struct interval i;

	(void)state;
	interval_start(&i, AT(0), 0, 0);
	interval_update(&i, AT(10), 5, 0);
	interval_update(&i, AT(-100), 8, 0);
	same(&i.now, AT(-100) - 1, AT(-100), 3, 0);
	interval_update(&i, AT(-98), 9, 0);
	same(&i.now, AT(-100) - 1, AT(-98), 4, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minutes_without_a_gap),
		cmocka_unit_test(the_clock_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
