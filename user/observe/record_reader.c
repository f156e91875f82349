// SPDX-License-Identifier: Apache-2.0
/*
 * The text form of raw records: reading. A recording may come from anywhere,
 * so that each line is bounded, each value checked against its field, and
 * whatever is not understood refused by its name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/observe/record.h"
#include "user/observe/record_fields.h"

#define LINE_BYTES 16384

struct record_reader {
	FILE *in;
	unsigned long line;
	char *err;
	size_t err_size;
	char text[LINE_BYTES];
};

__attribute__((format(printf, 2, 3))) static int refuse(struct record_reader *r,
							const char *fmt, ...)
{
	char why[160], safe[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	format_safe(why, safe, sizeof(safe));
	snprintf(r->err, r->err_size, "line %lu: %s", r->line, safe);
	return -EINVAL;
}

/* The next line without its end: 1, 0 at the end of the file, -EINVAL. */
static int read_line(struct record_reader *r)
{
	size_t n = 0;
	int c;

	r->line++;
	while ((c = getc_unlocked(r->in)) != EOF && c != '\n') {
		if (c == '\0')
			return refuse(r, "not a text file");
		if (n + 1 >= sizeof(r->text))
			return refuse(r, "longer than any record");
		r->text[n++] = (char)c;
	}
	r->text[n] = '\0';
	if (c == '\n')
		return 1;
	if (ferror(r->in))
		return refuse(r, "cannot be read: %s", strerror(errno));
	/* The tail of a number may be missing, which nothing would show. */
	return n ? refuse(r, "cut off before its end") : 0;
}

/* As read_line, past empty lines and comments. */
static int read_content(struct record_reader *r)
{
	int got;

	do {
		got = read_line(r);
	} while (got == 1 && (r->text[0] == '\0' || r->text[0] == '#'));
	return got;
}

/* Cuts the word at *at off; *at moves on. False: no more words. */
static bool next_word(char **at, char **word)
{
	*word = strsep(at, " ");
	return *word != NULL;
}

/* Cuts "name=value" in two; the value, or NULL. */
static char *split_word(char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	return value;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* At most size bytes; the rest of out is left zero. */
static int read_text(const char *value, uint8_t *out, size_t size)
{
	size_t n = 0;

	while (*value) {
		int byte = (unsigned char)*value++;

		if (byte == '\\') {
			int high, low;

			if (value[0] != 'x')
				return -EINVAL;
			high = hex_digit(value[1]);
			low = high < 0 ? -1 : hex_digit(value[2]);
			if (low < 0)
				return -EINVAL;
			byte = high << 4 | low;
			value += 3;
		}
		if (n == size)
			return -ERANGE;
		out[n++] = (uint8_t)byte;
	}
	return 0;
}

static int read_uint(const char *value, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (*value == '\0')
		return -EINVAL;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *value - '0', &number))
			return -ERANGE;
	}
	if (number > max)
		return -ERANGE;
	*out = number;
	return 0;
}

/* Values of one, two, four or eight bytes, in this machine's order. */
static void store_uint(uint8_t *at, size_t size, uint64_t value)
{
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	if (size == 1)
		*at = (uint8_t)value;
	else
		memcpy(at,
		       size == 2   ? (void *)&u16
		       : size == 4 ? (void *)&u32
				   : (void *)&value,
		       size);
}

static int read_number(const struct record_field *f, const char *value,
		       uint8_t *at)
{
	uint64_t max = f->size == 8 ? UINT64_MAX : (1ULL << 8 * f->size) - 1;
	bool negative = f->type == FIELD_INT && *value == '-';
	uint64_t number;
	int err;

	if (f->type == FIELD_INT)
		max = max / 2 + negative;
	err = read_uint(value + negative, max, &number);
	if (err)
		return err;
	store_uint(at, f->size, negative ? -number : number);
	return 0;
}

static int read_ip(const char *value, uint8_t *at)
{
	int af = strchr(value, ':') ? AF_INET6 : AF_INET;
	uint8_t ip[16] = {0};

	if (inet_pton(af, value, ip) != 1)
		return -EINVAL;
	memcpy(at, ip, sizeof(ip));
	return 0;
}

/* Hexadecimal, with commas between; the rest is left zero. */
static int read_addresses(const char *value, uint8_t *at, size_t size)
{
	uint64_t address;

	for (; size; size -= sizeof(address), at += sizeof(address)) {
		size_t digits = 0;
		int digit;

		for (address = 0; (digit = hex_digit(*value)) >= 0; value++) {
			if (++digits > 2 * sizeof(address))
				return -ERANGE;
			address = address << 4 | (uint64_t)digit;
		}
		if (!digits)
			return -EINVAL;
		memcpy(at, &address, sizeof(address));
		if (*value == '\0')
			return 0;
		if (*value++ != ',')
			return -EINVAL;
	}
	return -ERANGE;
}

static const struct record_field *find_field(const struct record_field *f,
					     const char *name, uint8_t **at)
{
	size_t n = strcspn(name, ".");

	for (; f->name; f++) {
		if (strncmp(f->name, name, n) != 0 || f->name[n] != '\0')
			continue;
		*at += f->offset;
		if (f->type != FIELD_STRUCT)
			return name[n] == '\0' ? f : NULL;
		return name[n] == '.' ? find_field(f->inner, name + n + 1, at)
				      : NULL;
	}
	return NULL;
}

static int read_value(const struct record_field *f, const char *value,
		      uint8_t *at)
{
	switch (f->type) {
	case FIELD_IP:
		return read_ip(value, at);
	case FIELD_TEXT:
		return read_text(value, at, f->size);
	case FIELD_ADDRESSES:
		return read_addresses(value, at, f->size);
	default:
		return read_number(f, value, at);
	}
}

static bool is_set(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i])
			return true;
	}
	return false;
}

static int read_field(struct record_reader *r,
		      const struct record_layout *layout, char *word,
		      union record *rec)
{
	char *value = split_word(word);
	const struct record_field *f;
	uint8_t *at = (uint8_t *)rec;

	f = find_field(layout->fields, word, &at);
	if (!f)
		return refuse(r, "unknown field '%s'", word);
	if (!value)
		return refuse(r, "field '%s' has no value", word);
	if (is_set(at, f->size))
		return refuse(r, "field '%s' is there twice", word);
	if (read_value(f, value, at))
		return refuse(r, "field '%s' cannot be '%s'", word, value);
	return 0;
}

static const struct record_layout *find_kind(const char *name, uint16_t *kind)
{
	for (unsigned int k = 0; k < REC_KINDS; k++) {
		const struct record_layout *layout = record_layout_of(k);

		if (layout && strcmp(layout->name, name) == 0) {
			*kind = (uint16_t)k;
			return layout;
		}
	}
	return NULL;
}

int record_reader_next(struct record_reader *r, union record *rec, char *err,
		       size_t err_size)
{
	const struct record_layout *layout;
	union record read;
	char *at = r->text, *word;
	int got;

	r->err = err;
	r->err_size = err_size;
	got = read_content(r);
	if (got <= 0)
		return got;
	memset(&read, 0, sizeof(read));
	next_word(&at, &word);
	layout = find_kind(word, &read.head.kind);
	if (!layout)
		return refuse(r, "unknown kind of record '%s'", word);
	read.head.size = layout->size;
	while (next_word(&at, &word)) {
		if (read_field(r, layout, word, &read))
			return -EINVAL;
	}
	*rec = read;
	return 1;
}

struct header {
	struct record_context ctx;
	uint64_t abi, hz;
};

/* "reason.12": where that name goes, or NULL. */
static char *reason_at(struct record_context *ctx, const char *name)
{
	static const char prefix[] = "reason.";
	uint64_t nr;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	if (read_uint(name + sizeof(prefix) - 1, ARRAY_SIZE(ctx->reasons) - 1,
		      &nr))
		return NULL;
	return ctx->reasons[nr];
}

/* Text that stays a C string: no zero byte may come in by way of \x00. */
static int read_string(const char *value, char *out, size_t size)
{
	char text[128] = "";
	int err = read_text(value, (uint8_t *)text, sizeof(text) - 1);

	if (err)
		return err;
	if (strlen(text) >= size)
		return -ERANGE;
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* -ENOENT: no such word. */
static int read_header_word(struct header *h, const char *name,
			    const char *value)
{
	char *reason = reason_at(&h->ctx, name);
	int64_t number;
	int err;

	if (reason)
		return read_string(value, reason, sizeof(h->ctx.reasons[0]));
	if (strcmp(name, "abi") == 0)
		return read_uint(value, UINT32_MAX, &h->abi);
	if (strcmp(name, "hz") == 0)
		return read_uint(value, 1000000, &h->hz);
	if (strcmp(name, "unix_offset_ns") == 0)
		return parse_int(value, INT64_MIN, INT64_MAX,
				 &h->ctx.unix_offset_ns);
	if (strcmp(name, "arch") == 0)
		return read_string(value, h->ctx.arch, sizeof(h->ctx.arch));
	if (strcmp(name, "kernel") == 0)
		return read_string(value, h->ctx.kernel, sizeof(h->ctx.kernel));
	if (strcmp(name, "host_netns") != 0)
		return -ENOENT;
	err = parse_int(value, INT32_MIN, INT32_MAX, &number);
	if (!err)
		h->ctx.host_netns = (int)number;
	return err;
}

static int read_header(struct record_reader *r, struct header *h)
{
	char *at = r->text, *word, *value;
	int got = read_content(r);

	if (got < 0)
		return got;
	next_word(&at, &word);
	if (got == 0 || strcmp(word, RECORD_MAGIC) != 0)
		return refuse(r, "not a recording of rstscope");
	while (next_word(&at, &word)) {
		value = split_word(word);
		got = value ? read_header_word(h, word, value) : -EINVAL;
		/* First, since it explains whatever else is not understood. */
		if (!got && strcmp(word, "abi") == 0 && h->abi != REC_ABI)
			break;
		if (got == -ENOENT)
			return refuse(r, "unknown field '%s'", word);
		if (got)
			return refuse(r, "field '%s' cannot be '%s'", word,
				      value ? value : "");
	}
	if (h->abi != REC_ABI)
		return refuse(r,
			      "recorded with abi %" PRIu64
			      ", this program reads %d",
			      h->abi, REC_ABI);
	if (h->hz == 0)
		return refuse(r, "field 'hz' is missing");
	return 0;
}

int record_reader_open(struct record_reader **out, FILE *in,
		       struct record_context *ctx, char *err, size_t err_size)
{
	struct record_reader *r = calloc(1, sizeof(*r));
	struct header h = {0};
	int got;

	if (!r) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	r->in = in;
	r->err = err;
	r->err_size = err_size;
	got = read_header(r, &h);
	if (got) {
		free(r);
		return got;
	}
	h.ctx.jiffy_ms = 1000.0 / (double)h.hz;
	*ctx = h.ctx;
	*out = r;
	return 0;
}

/* The stream stays the caller's. */
void record_reader_free(struct record_reader *r)
{
	free(r);
}
