/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_fields.h"
#include "user/store/event_pack.h"
#include "user/store/event_tags.h"

/* Numbers that are on disk. A new one goes to the end, or by name. */
_Static_assert(KIND_TIMEOUT == 4 && CALL_OTHER == 6 && VIA_SCAN == 3 &&
		       ROLE_SERVER == 2 && BLAME_UNKNOWN == 3 &&
		       RETRY_UNKNOWN == 4 && TRI_YES == 1,
	       "stored numbers have moved");

struct out {
	uint8_t *at, *end;
	bool full;
	bool bad; /* a number that is in no enum */
};

static void put_byte(struct out *o, uint8_t byte)
{
	if (o->at == o->end)
		o->full = true;
	else
		*o->at++ = byte;
}

static void put_varint(struct out *o, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_byte(o, (uint8_t)(value | 0x80));
	put_byte(o, (uint8_t)value);
}

static void put_int(struct out *o, unsigned int tag, int64_t value)
{
	put_varint(o, tag << 1);
	put_varint(o, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_bytes(struct out *o, unsigned int tag, const void *data,
		      size_t size)
{
	put_varint(o, tag << 1 | 1);
	put_varint(o, size);
	if ((size_t)(o->end - o->at) < size) {
		o->full = true;
		return;
	}
	memcpy(o->at, data, size);
	o->at += size;
}

static void put_text(struct out *o, unsigned int tag, const char *text)
{
	if (text[0])
		put_bytes(o, tag, text, strlen(text));
}

/* A share or seconds, in millionths; what is no number is left out. */
static void put_micro(struct out *o, unsigned int tag, double value)
{
	if (fabs(value) * MICRO <= MICRO_MAX)
		put_int(o, tag, llround(value * MICRO));
}

static void put_end(struct out *o, unsigned int tag, const struct endpoint *end,
		    uint8_t family)
{
	size_t size = family == 6 ? 16 : 4;
	uint8_t bytes[18];

	memcpy(bytes, end->ip, size);
	bytes[size] = (uint8_t)(end->port >> 8);
	bytes[size + 1] = (uint8_t)end->port;
	put_bytes(o, tag, bytes, size + 2);
}

/* What could not be read back is refused here, where it can be counted. */
static bool number_valid(const struct event_field *f, int number)
{
	if (f->type == FIELD_TRI)
		return number <= TRI_YES;
	return f->names->by_name(f->names->name(number)) >= NOT_KNOWN;
}

static void pack_field(struct out *o, const struct event *ev,
		       const struct event_field *f)
{
	const void *at = event_peek(ev, f->offset);
	int64_t value;
	int number;

	switch (f->type) {
	case FIELD_INT:
	case FIELD_TIME:
	case FIELD_ERRNO:
	case FIELD_SIGNED:
		memcpy(&value, at, sizeof(value));
		if (f->type == FIELD_SIGNED
			    ? *(const bool *)event_peek(ev, f->aux)
			    : value != NOT_KNOWN || f->rules & FIELD_REQUIRED)
			put_int(o, f->tag, value);
		break;
	case FIELD_TRI:
	case FIELD_ENUM:
		memcpy(&number, at, sizeof(number));
		o->bad |= !number_valid(f, number);
		if (number != NOT_KNOWN)
			put_int(o, f->tag, number);
		break;
	case FIELD_FAMILY: /* event_pack() has put it first */
		break;
	case FIELD_TEXT:
	case FIELD_NAME:
		put_text(o, f->tag, at);
		break;
	case FIELD_END:
		put_end(o, f->tag, at, ev->family);
		break;
	}
}

static void pack_short_verdict(struct out *o, const struct verdict *v)
{
	put_text(o, TAG_CAUSE, cause_name(v->cause));
	put_micro(o, TAG_CONFIDENCE, v->confidence);
	put_int(o, TAG_BLAME, v->blame);
	put_int(o, TAG_BENIGN, v->benign);
	put_int(o, TAG_RETRY, v->retry);
	o->bad |= (int)v->blame >= BLAMES || (int)v->retry >= RETRIES;
}

static void pack_rest_of_verdict(struct out *o, const struct verdict *v)
{
	if (v->timeout_known) {
		put_micro(o, TAG_TIMEOUT, v->timeout_seconds);
		put_int(o, TAG_TIMEOUT_LEARNED, v->timeout_learned);
		put_text(o, TAG_COMPONENT, v->timeout_component);
	}
	for (unsigned int i = 0; i < v->evidences && i < VERDICT_EVIDENCE; i++)
		put_text(o,
			 v->evidence[i].supports ? TAG_EVIDENCE_FOR
						 : TAG_EVIDENCE_AGAINST,
			 v->evidence[i].fact);
	for (unsigned int i = 0;
	     i < v->alternatives && i < VERDICT_ALTERNATIVES; i++) {
		put_text(o, TAG_ALTERNATIVE,
			 cause_name(v->alternative[i].cause));
		put_micro(o, TAG_ALTERNATIVE_CONFIDENCE,
			  v->alternative[i].confidence);
	}
	for (unsigned int i = 0; i < v->fixes && i < VERDICT_FIXES; i++)
		put_text(o, TAG_FIX, v->fix[i]);
}

/* Of each field that has one of the rules, or of all where rules is 0. */
static void pack_fields(struct out *o, const struct event *ev, uint8_t rules)
{
	put_byte(o, PACK_VERSION);
	/* The family tells the size of the addresses: it goes first. */
	put_int(o, TAG_FAMILY, ev->family == 6 ? 6 : 4);
	for (const struct event_group *g = event_groups; g->fields; g++) {
		if (g->tag && !*(const bool *)event_peek(ev, g->known))
			continue;
		if (g->tag)
			put_int(o, g->tag, 1);
		for (const struct event_field *f = g->fields; f->name; f++)
			if (!rules || f->rules & rules)
				pack_field(o, ev, f);
	}
	pack_short_verdict(o, &ev->verdict);
}

static int packed_size(const struct out *o, const uint8_t *start)
{
	if (o->bad)
		return -EINVAL;
	return o->full ? -ENOSPC : (int)(o->at - start);
}

int event_pack(const struct event *ev, uint8_t *out, size_t size)
{
	struct out o = {.at = out, .end = out + size};

	pack_fields(&o, ev, 0);
	pack_rest_of_verdict(&o, &ev->verdict);
	return packed_size(&o, out);
}

int event_pack_brief(const struct event *ev, uint8_t *out, size_t size)
{
	struct out o = {.at = out, .end = out + size};

	pack_fields(&o, ev, FIELD_BRIEF);
	return packed_size(&o, out);
}
