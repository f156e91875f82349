/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what event_pack.c wrote; trusts none of it. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_fields.h"
#include "user/store/event_pack.h"
#include "user/store/event_tags.h"

/* One field as it stands in the bytes. */
struct item {
	unsigned int tag;
	bool is_bytes;
	int64_t value;
	const uint8_t *data;
	size_t size;
};

#define ENUM_MOST 64

/* The tables of event_fields.c by tag: where a group or a field stands. */
struct slot {
	const struct event_group *group; /* NULL: a field, or nothing */
	const struct event_field *field;
	int number[ENUM_MOST + 1]; /* what a stored one is now; or -ENOENT */
};
static struct slot slots[FIELD_TAG_MAX + 1];
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static void fill_slot(struct slot *slot, const struct event_field *f)
{
	slot->field = f;
	for (int i = 0; f->names && i <= ENUM_MOST; i++)
		slot->number[i] = f->names->by_name(f->names->name(i));
}

static void fill_slots(void)
{
	for (const struct event_group *g = event_groups; g->fields; g++) {
		if (g->tag)
			slots[g->tag].group = g;
		for (const struct event_field *f = g->fields; f->name; f++)
			fill_slot(&slots[f->tag], f);
	}
}

struct in {
	const uint8_t *at, *end;
};

static int get_varint(struct in *in, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		if (in->at == in->end)
			return -EBADMSG;
		value |= (uint64_t)(*in->at & 0x7f) << shift;
		if (!(*in->at++ & 0x80)) {
			*out = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int get_item(struct in *in, struct item *item)
{
	uint64_t key, value;

	if (get_varint(in, &key) || get_varint(in, &value) || key > 1023)
		return -EBADMSG;
	*item = (struct item){.tag = (unsigned int)(key >> 1),
			      .is_bytes = key & 1};
	if (!item->is_bytes) {
		item->value = (int64_t)((value >> 1) ^ -(value & 1));
		return 0;
	}
	if (value > (size_t)(in->end - in->at))
		return -EBADMSG;
	item->data = in->at;
	item->size = (size_t)value;
	in->at += item->size;
	return 0;
}

static int get_text(const struct item *item, char *out, size_t size)
{
	if (!item->is_bytes || item->size >= size ||
	    memchr(item->data, '\0', item->size))
		return -EBADMSG;
	memcpy(out, item->data, item->size);
	out[item->size] = '\0';
	return 0;
}

static int get_end(const struct item *item, uint8_t family,
		   struct endpoint *end)
{
	size_t size = family == 6 ? 16 : 4;

	if (!item->is_bytes || item->size != size + 2)
		return -EBADMSG;
	memset(end->ip, 0, sizeof(end->ip));
	memcpy(end->ip, item->data, size);
	end->port = (uint16_t)(item->data[size] << 8 | item->data[size + 1]);
	return 0;
}

/* A number outside its enum is damage: it has no name that leads back. */
static int get_enum(const struct item *item, const struct slot *slot,
		    struct event *ev)
{
	int number = (int)item->value;

	if (item->value < 0 || item->value > ENUM_MOST)
		return -EBADMSG;
	if (slot->field->type == FIELD_TRI && number > 1)
		return -EBADMSG;
	if (slot->field->names)
		number = slot->number[number];
	if (number < NOT_KNOWN)
		return -EBADMSG;
	memcpy(event_at(ev, slot->field->offset), &number, sizeof(number));
	return 0;
}

static int unpack_field(const struct item *item, const struct slot *slot,
			struct event *ev)
{
	const struct event_field *f = slot->field;
	void *at = event_at(ev, f->offset);

	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_NAME:
		return get_text(item, at, f->size);
	case FIELD_END:
		return get_end(item, ev->family, at);
	default:
		break;
	}
	if (item->is_bytes)
		return -EBADMSG;
	switch (f->type) {
	case FIELD_TRI:
	case FIELD_ENUM:
		return get_enum(item, slot, ev);
	case FIELD_FAMILY:
		if (item->value != 4 && item->value != 6)
			return -EBADMSG;
		ev->family = (uint8_t)item->value;
		return 0;
	case FIELD_SIGNED:
		*(bool *)event_at(ev, f->aux) = true;
		memcpy(at, &item->value, sizeof(item->value));
		return 0;
	default:
		memcpy(at, &item->value, sizeof(item->value));
		return 0;
	}
}

static int get_cause(const struct item *item, enum cause *out)
{
	char name[64];
	int cause;

	if (get_text(item, name, sizeof(name)))
		return -EBADMSG;
	/* A name given up since: the facts are still worth showing. */
	cause = cause_by_name(name);
	*out = cause < 0 ? CAUSE_UNKNOWN : (enum cause)cause;
	return 0;
}

static int get_small(const struct item *item, int bound, int *out)
{
	if (item->is_bytes || item->value < 0 || item->value >= bound)
		return -EBADMSG;
	*out = (int)item->value;
	return 0;
}

static int get_evidence(const struct item *item, struct verdict *v)
{
	struct evidence *e;

	if (v->evidences == VERDICT_EVIDENCE)
		return -EBADMSG;
	e = &v->evidence[v->evidences++];
	e->supports = item->tag == TAG_EVIDENCE_FOR;
	return get_text(item, e->fact, sizeof(e->fact));
}

static int get_real(const struct item *item, double *out)
{
	if (item->is_bytes || item->value < -MICRO_MAX ||
	    item->value > MICRO_MAX)
		return -EBADMSG;
	*out = (double)item->value / MICRO;
	return 0;
}

static int get_alternative(const struct item *item, struct verdict *v)
{
	if (item->tag == TAG_ALTERNATIVE) {
		if (v->alternatives == VERDICT_ALTERNATIVES)
			return -EBADMSG;
		return get_cause(item,
				 &v->alternative[v->alternatives++].cause);
	}
	if (!v->alternatives)
		return -EBADMSG;
	return get_real(item, &v->alternative[v->alternatives - 1].confidence);
}

static int get_fix(const struct item *item, struct verdict *v)
{
	if (v->fixes == VERDICT_FIXES)
		return -EBADMSG;
	return get_text(item, v->fix[v->fixes++], VERDICT_TEXT);
}

static int unpack_verdict(const struct item *item, struct verdict *v)
{
	int err, number = 0;

	switch (item->tag) {
	case TAG_CAUSE:
		return get_cause(item, &v->cause);
	case TAG_CONFIDENCE:
		return get_real(item, &v->confidence);
	case TAG_BLAME:
		err = get_small(item, BLAMES, &number);
		v->blame = (enum blame)number;
		return err;
	case TAG_BENIGN:
		err = get_small(item, 2, &number);
		v->benign = number;
		return err;
	case TAG_TIMEOUT:
		v->timeout_known = true;
		return get_real(item, &v->timeout_seconds);
	case TAG_TIMEOUT_LEARNED:
		err = get_small(item, 2, &number);
		v->timeout_learned = number;
		return err;
	case TAG_COMPONENT:
		return get_text(item, v->timeout_component,
				sizeof(v->timeout_component));
	case TAG_EVIDENCE_FOR:
	case TAG_EVIDENCE_AGAINST:
		return get_evidence(item, v);
	case TAG_ALTERNATIVE:
	case TAG_ALTERNATIVE_CONFIDENCE:
		return get_alternative(item, v);
	case TAG_RETRY:
		err = get_small(item, RETRIES, &number);
		v->retry = (enum retry)number;
		return err;
	case TAG_FIX:
		return get_fix(item, v);
	default:
		return 0; /* of a later version */
	}
}

static int unpack_item(const struct item *item, struct event *ev)
{
	const struct slot *slot;

	if (item->tag > FIELD_TAG_MAX)
		return unpack_verdict(item, &ev->verdict);
	slot = &slots[item->tag];
	if (slot->group)
		*(bool *)event_at(ev, slot->group->known) = true;
	else if (slot->field)
		return unpack_field(item, slot, ev);
	return 0;
}

int event_unpack(struct event *ev, const uint8_t *data, size_t size)
{
	struct in in = {data, data + size};
	struct item item;
	int err = 0;

	if (!size || *in.at++ != PACK_VERSION)
		return -EBADMSG;
	pthread_once(&slots_once, fill_slots);
	event_init(ev);
	while (!err && in.at != in.end) {
		err = get_item(&in, &item);
		if (!err)
			err = unpack_item(&item, ev);
	}
	return err;
}
