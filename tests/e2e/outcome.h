/* SPDX-License-Identifier: Apache-2.0 */
/* How a program that a test ran has ended, and what it printed. */
#ifndef E2E_OUTCOME_H
#define E2E_OUTCOME_H

#define OUTCOME_LIMIT_MS 60000

/* The exit statuses of the manual. */
enum { OK, FAILED, USAGE, KERNEL, NO_EVENT };

const char *cli(void); /* the path of rstscope */

struct outcome {
	int status;
	char *out, *err; /* freed at the end of the test */
};
/* Runs it to its end; a NULL ends the words. */
struct outcome outcome_of(const char *const argv[]);
/* rstscope run WORD... */
struct outcome run_rstscope(const char *const words[]);
#define RUN(...) run_rstscope((const char *const[]){__VA_ARGS__, NULL})

/* A shell command must fail so, with one line that has `word` in it. */
void refused_with(int status, const char *word, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void assert_has(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);
unsigned int lines(const char *text);
/* The whole of a file below 64 KiB; freed at the end of the test. */
char *content(const char *path);

#endif
