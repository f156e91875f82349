// SPDX-License-Identifier: Apache-2.0
/*
 * The text form of raw records: writing. Words are separated by one space;
 * bytes of text that are no plain printable character are written as \xHH, so
 * that every value is one word. Reading is record_reader.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "user/base/base.h"
#include "user/observe/record.h"
#include "user/observe/record_fields.h"

int record_check(const void *data, size_t size)
{
	const struct record_layout *layout;
	struct rec_head head;

	if (size < sizeof(head))
		return -EINVAL;
	memcpy(&head, data, sizeof(head));
	layout = record_layout_of(head.kind);
	if (!layout || head.size != size || layout->size != size)
		return -EINVAL;
	return 0;
}

static void write_text(FILE *out, const uint8_t *text, size_t size)
{
	while (size && text[size - 1] == 0)
		size--;
	for (size_t i = 0; i < size; i++) {
		if (text[i] > ' ' && text[i] < 0x7f && text[i] != '\\')
			fputc(text[i], out);
		else
			fprintf(out, "\\x%02x", text[i]);
	}
}

/*
 * Four bytes and twelve zeros are written as an IPv4 address, whatever the
 * record says of its family: reading gives the same bytes back either way.
 */
static void write_ip(FILE *out, const uint8_t ip[16])
{
	static const uint8_t zeros[12];
	char text[INET6_ADDRSTRLEN];
	bool four = memcmp(ip + 4, zeros, sizeof(zeros)) == 0;

	inet_ntop(four ? AF_INET : AF_INET6, ip, text, sizeof(text));
	fputs(text, out);
}

static uint64_t load_uint(const uint8_t *at, size_t size)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		return *at;
	case 2:
		memcpy(&u16, at, size);
		return u16;
	case 4:
		memcpy(&u32, at, size);
		return u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

static void write_int(FILE *out, const struct record_field *f,
		      const uint8_t *at)
{
	uint64_t value = load_uint(at, f->size);

	if (f->type == FIELD_UINT)
		fprintf(out, "%" PRIu64, value);
	else if (f->size == sizeof(int32_t))
		fprintf(out, "%" PRId32, (int32_t)value);
	else
		fprintf(out, "%" PRId64, (int64_t)value);
}

static bool is_zero(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i])
			return false;
	}
	return true;
}

/* Hexadecimal, with commas between. */
static void write_addresses(FILE *out, const uint8_t *at, size_t size)
{
	uint64_t address;

	while (size && is_zero(at + size - sizeof(address), sizeof(address)))
		size -= sizeof(address);
	for (size_t i = 0; i < size; i += sizeof(address)) {
		memcpy(&address, at + i, sizeof(address));
		fprintf(out, "%s%" PRIx64, i ? "," : "", address);
	}
}

static void write_fields(FILE *out, const struct record_field *f,
			 const char *prefix, const uint8_t *base)
{
	char inner[64];

	for (; f->name; f++) {
		const uint8_t *at = base + f->offset;

		if (is_zero(at, f->size))
			continue;
		if (f->type == FIELD_STRUCT) {
			snprintf(inner, sizeof(inner), "%s%s.", prefix,
				 f->name);
			write_fields(out, f->inner, inner, at);
			continue;
		}
		fprintf(out, " %s%s=", prefix, f->name);
		if (f->type == FIELD_IP)
			write_ip(out, at);
		else if (f->type == FIELD_TEXT)
			write_text(out, at, f->size);
		else if (f->type == FIELD_ADDRESSES)
			write_addresses(out, at, f->size);
		else
			write_int(out, f, at);
	}
}

/* errno was 0 before the line was begun. */
static int write_end(FILE *out)
{
	fputc('\n', out);
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

int record_write(FILE *out, const union record *rec)
{
	const struct record_layout *layout = record_layout_of(rec->head.kind);

	if (!layout || rec->head.size != layout->size)
		return -EINVAL;
	errno = 0;
	fputs(layout->name, out);
	write_fields(out, layout->fields, "", (const uint8_t *)rec);
	return write_end(out);
}

static void write_word(FILE *out, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	fprintf(out, " %s=", name);
	write_text(out, (const uint8_t *)text, strlen(text));
}

int record_write_header(FILE *out, const struct record_context *ctx)
{
	/* HZ is a whole number, and has no decimal point in any locale. */
	long hz = ctx->jiffy_ms > 0 ? lround(1000 / ctx->jiffy_ms) : 0;
	char name[16];

	if (hz <= 0)
		return -EINVAL;
	errno = 0;
	fprintf(out, RECORD_MAGIC " abi=%d hz=%ld unix_offset_ns=%" PRId64,
		REC_ABI, hz, ctx->unix_offset_ns);
	write_word(out, "arch", ctx->arch);
	write_word(out, "kernel", ctx->kernel);
	if (ctx->host_netns)
		fprintf(out, " host_netns=%d", ctx->host_netns);
	for (size_t i = 0; i < ARRAY_SIZE(ctx->reasons); i++) {
		snprintf(name, sizeof(name), "reason.%zu", i);
		write_word(out, name, ctx->reasons[i]);
	}
	return write_end(out);
}
