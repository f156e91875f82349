/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things that know nothing of resets. Functions return 0 or -errno and
 * leave output parameters untouched on failure.
 */
#ifndef RSTSCOPE_BASE_H
#define RSTSCOPE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NSEC_PER_SEC  1000000000ull
#define USEC_PER_SEC  1000000ll

/* Exit statuses of both programs (cli.md); mapped in main alone. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_KERNEL = 3,   /* kernel or privileges do not suffice */
	EXIT_NO_EVENT = 4, /* rstscope why: no such event */
};

/* --- log.c: to stderr; "<3>" prefixes where stderr is the journal --------- */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
void log_set_level(enum log_level level);
void log_set_program(const char *name); /* shown before each line */
void log_write(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* --- parse*.c: whole-string parsers; -EINVAL, -ERANGE --------------------- */
int parse_int(const char *text, int64_t min, int64_t max, int64_t *out);
/* "90", "90s", "5m", "1h30m", "7d", "250ms" -> microseconds. */
int parse_duration_us(const char *text, int64_t *us);
/* "1048576", "512M", "2G" (powers of 1024) -> bytes. */
int parse_size(const char *text, int64_t *bytes);
/*
 * A moment: a duration ("1h": that long before now_us), "2026-11-24",
 * "2026-11-24 06:40[:12[.345]]" (local), the same with T and Z (UTC), or
 * "@UNIXTIME".
 */
int parse_time_us(const char *text, int64_t now_us, int64_t *us);
/* An address; *family becomes 4 or 6, IPv4-mapped ones 4. */
int parse_ip(const char *text, uint8_t *family, uint8_t ip[16]);
/* "1.2.3.4", "10.0.0.0/8", "1.2.3.4:80", "[::1]:80", "fd00::/8"; port -1: none.
 */
int parse_peer(const char *text, uint8_t *family, uint8_t ip[16], uint8_t *bits,
	       int64_t *port);

/* --- format.c ------------------------------------------------------------- */
#define IP_TEXT	  48
#define TIME_TEXT 40
void format_ip(uint8_t family, const uint8_t ip[16], char out[IP_TEXT]);
/* "1.2.3.4:80", "[::1]:80" */
void format_endpoint(uint8_t family, const uint8_t ip[16], uint16_t port,
		     char *out, size_t size);
/* "2026-11-24T06:40:12.345678Z" */
void format_time_utc(int64_t us, char out[TIME_TEXT]);
/* "5.02 s", "120 ms", "2 h 4 min": for people. */
void format_duration_ms(double ms, char *out, size_t size);
/* "1.5 KiB" */
void format_bytes(int64_t bytes, char *out, size_t size);
/*
 * Text of outside origin (a process name) made fit to print: invalid UTF-8 and
 * control characters become '?'; at most size-1 bytes, cut between characters.
 */
void format_safe(const char *text, char *out, size_t size);
/* Name of an errno ("ECONNRESET"), or NULL. */
const char *errno_name(int64_t nr);
/* The errno of that name, or -ENOENT. */
int errno_by_name(const char *name);

/* A plain copy of a string, cut to fit: for paths where snprintf is too dear.
 */
void text_copy(char *to, size_t size, const char *from);

/* --- clock.c -------------------------------------------------------------- */
int64_t clock_unix_us(void);
uint64_t clock_mono_ns(void);

/* --- hash.c: a fast hash for tables in memory ----------------------------- */
uint64_t hash_bytes(const void *data, size_t size, uint64_t seed);

/* --- community.c: Community ID v1 (SHA-1 of the flow, seed 0) ------------- */
void community_id(uint8_t family, const uint8_t a[16], uint16_t a_port,
		  const uint8_t b[16], uint16_t b_port, char out[40]);

#endif
