/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/filter.h"

const struct filter_option filter_options[] = {
	{"since", "TIME", "not older than 1h, 7d, or a date and time"},
	{"until", "TIME", "not younger than that"},
	{"process", "NAME", "of the process of that name"},
	{"pid", "N", "of the process of that id"},
	{"peer", "IP[/BITS][:PORT]", "with that peer or network"},
	{"port", "N", "on that port, on either side"},
	{"cause", "NAME", "of that cause (see: rstscope causes)"},
	{"kind", "KIND", "received, sent, refused, hangup or timeout"},
	{"syscall", "CLASS",
	 "told in, or made by, read, write, connect, accept, close, exit"},
	{"unit", "UNIT", "of that systemd unit"},
	{"container", "PREFIX", "of the container whose id begins so"},
	{"host", "NAME", "seen on that host"},
	{"benign", NULL, "show the benign ones too"},
	{"limit", "N", "at most the newest N"},
	{},
};

/* Where a value goes and how a complaint about it begins. */
struct setting {
	struct filter *f;
	const char *name, *value;
	int64_t now_us;
	char *err;
	size_t err_size;
};

void filter_init(struct filter *f)
{
	memset(f, 0, sizeof(*f));
	f->since_us = f->until_us = NOT_KNOWN;
	f->pid = f->peer_port = f->port = NOT_KNOWN;
	f->cause = f->kind = f->class = NOT_KNOWN;
	f->limit = NOT_KNOWN;
}

static int refuse(const struct setting *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(const struct setting *s, const char *fmt, ...)
{
	char value[64], text[192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	format_safe(s->value, value, sizeof(value));
	snprintf(s->err, s->err_size, "--%s: '%s' %s", s->name, value, text);
	return -EINVAL;
}

/* Levenshtein's distance of short names; anything long is far away. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[33], left, corner, cost;
	size_t n = strlen(b);

	if (n >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned int)j;
	for (; *a; a++) {
		corner = row[0]++;
		for (size_t j = 1; j <= n; j++) {
			cost = corner + (*a != b[j - 1]);
			corner = row[j];
			left = row[j - 1] + 1;
			if (corner + 1 < left)
				left = corner + 1;
			row[j] = left < cost ? left : cost;
		}
	}
	return row[n];
}

static const char *nth_kind(int i)
{
	return kind_name((enum failure_kind)i);
}

static const char *nth_class(int i)
{
	return call_class_name((enum call_class)i);
}

static const char *nth_cause(int i)
{
	return cause_name((enum cause)i);
}

static int set_named(const struct setting *s, int *out, int n,
		     const char *(*nth)(int), const char *what)
{
	unsigned int best = 99, far;
	int near = 0;

	for (int i = 0; i < n; i++) {
		far = distance(s->value, nth(i));
		if (far == 0) {
			*out = i;
			return 0;
		}
		if (far < best) {
			best = far;
			near = i;
		}
	}
	/* Close: a slip or two, and most of the word is right. */
	if (best <= 3 && best * 3 <= strlen(nth(near)))
		return refuse(s, "is no %s; did you mean '%s'?", what,
			      nth(near));
	return refuse(s, "is no %s", what);
}

static int set_cause(const struct setting *s)
{
	return set_named(s, &s->f->cause, CAUSES, nth_cause, "cause");
}

static int set_kind(const struct setting *s)
{
	return set_named(s, &s->f->kind, KINDS, nth_kind, "kind");
}

static int set_class(const struct setting *s)
{
	return set_named(s, &s->f->class, CALL_CLASSES, nth_class,
			 "class of system calls");
}

static int set_time(const struct setting *s, int64_t *out)
{
	if (parse_time_us(s->value, s->now_us, out))
		return refuse(s, "is no time (1h, 2026-11-24 06:40, ...)");
	return 0;
}

static int set_since(const struct setting *s)
{
	return set_time(s, &s->f->since_us);
}

static int set_until(const struct setting *s)
{
	return set_time(s, &s->f->until_us);
}

static int set_number(const struct setting *s, int64_t min, int64_t max,
		      int64_t *out)
{
	if (parse_int(s->value, min, max, out))
		return refuse(s, "is not a number of %lld to %lld",
			      (long long)min, (long long)max);
	return 0;
}

static int set_pid(const struct setting *s)
{
	return set_number(s, 1, 4194304, &s->f->pid);
}

static int set_port(const struct setting *s)
{
	return set_number(s, 0, 65535, &s->f->port);
}

static int set_limit(const struct setting *s)
{
	return set_number(s, 1, INT32_MAX, &s->f->limit);
}

static int set_peer(const struct setting *s)
{
	uint8_t family, bits, ip[16] = {0};
	int64_t port;

	if (parse_peer(s->value, &family, ip, &bits, &port))
		return refuse(s, "is not an address");
	s->f->peer_set = true;
	s->f->peer_family = family;
	s->f->peer_bits = bits;
	s->f->peer_port = port;
	memcpy(s->f->peer_ip, ip, sizeof(ip));
	return 0;
}

/* A name as people write it; `max` is its capacity without the NUL. */
static int set_text(const struct setting *s, char *out, size_t max)
{
	if (!s->value[0])
		return refuse(s, "is empty");
	if (strlen(s->value) > max)
		return refuse(s, "is longer than %zu characters", max);
	snprintf(out, max + 1, "%s", s->value);
	return 0;
}

/* The kernel keeps 15 bytes of a process name: compare as many. */
static int set_process(const struct setting *s)
{
	if (!s->value[0])
		return refuse(s, "is empty");
	snprintf(s->f->process, sizeof(s->f->process), "%.*s", REC_COMM - 1,
		 s->value);
	return 0;
}

/* "nginx" is nginx.service, as for systemctl. */
static int set_unit(const struct setting *s)
{
	const size_t max = sizeof(s->f->unit) - sizeof(".service");
	int err = set_text(s, s->f->unit, max);

	if (!err && !strchr(s->value, '.'))
		strcat(s->f->unit, ".service");
	return err;
}

static int set_container(const struct setting *s)
{
	for (const char *c = s->value; *c; c++)
		if (!isxdigit((unsigned char)*c))
			return refuse(s, "is no container id (hex digits)");
	return set_text(s, s->f->container, sizeof(s->f->container) - 1);
}

static int set_host(const struct setting *s)
{
	return set_text(s, s->f->host, sizeof(s->f->host) - 1);
}

static int set_benign(const struct setting *s)
{
	s->f->benign = true;
	return 0;
}

/* In the order of filter_options. */
static int (*const setters[])(const struct setting *) = {
	set_since,     set_until, set_process, set_pid,	  set_peer,
	set_port,      set_cause, set_kind,    set_class, set_unit,
	set_container, set_host,  set_benign,  set_limit,
};
_Static_assert(ARRAY_SIZE(setters) == ARRAY_SIZE(filter_options) - 1,
	       "an option without a setter");

int filter_set(struct filter *f, const char *name, const char *value,
	       int64_t now_us, char *err, size_t err_size)
{
	struct setting s = {f, name, value, now_us, err, err_size};

	for (size_t i = 0; filter_options[i].name; i++) {
		if (strcmp(filter_options[i].name, name))
			continue;
		if (!value && filter_options[i].argument) {
			snprintf(err, err_size, "--%s: %s is missing", name,
				 filter_options[i].argument);
			return -EINVAL;
		}
		return setters[i](&s);
	}
	return -ENOENT;
}

void filter_default_window(struct filter *f, int64_t now_us)
{
	int64_t end = f->until_us == NOT_KNOWN ? now_us : f->until_us;

	if (f->since_us == NOT_KNOWN)
		f->since_us = end - 3600 * USEC_PER_SEC;
	/* Whoever names a cause that is always benign wants to see it. */
	if (f->cause == CAUSE_HEALTH_CHECK || f->cause == CAUSE_PORT_SCAN ||
	    f->cause == CAUSE_GRACEFUL_RACE)
		f->benign = true;
}

static bool peer_match(const struct filter *f, const struct event *ev)
{
	unsigned int whole = f->peer_bits / 8, rest = f->peer_bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (f->peer_family != ev->family || f->peer_bits > 128)
		return false;
	if (memcmp(f->peer_ip, ev->peer.ip, whole))
		return false;
	return !rest || !((f->peer_ip[whole] ^ ev->peer.ip[whole]) & mask);
}

static bool process_match(const struct filter *f, const struct event *ev)
{
	const struct event_process *p = &ev->process;

	if (f->process[0] && (!p->known || strcmp(f->process, p->comm)))
		return false;
	if (f->pid != NOT_KNOWN && (!p->known || f->pid != p->pid))
		return false;
	if (f->unit[0] && (!p->known || strcmp(f->unit, p->unit)))
		return false;
	return !f->container[0] ||
	       (p->known &&
		!strncasecmp(f->container, p->container, strlen(f->container)));
}

static bool ends_match(const struct filter *f, const struct event *ev)
{
	if (f->peer_set && !peer_match(f, ev))
		return false;
	if (f->peer_port != NOT_KNOWN && f->peer_port != ev->peer.port)
		return false;
	return f->port == NOT_KNOWN || f->port == ev->local.port ||
	       f->port == ev->peer.port;
}

static bool what_match(const struct filter *f, const struct event *ev)
{
	if (f->cause != NOT_KNOWN && f->cause != (int)ev->verdict.cause)
		return false;
	if (f->kind != NOT_KNOWN && f->kind != (int)ev->kind)
		return false;
	return f->class == NOT_KNOWN ||
	       (ev->syscall.known && f->class == (int)ev->syscall.class);
}

bool filter_match(const struct filter *f, const struct event *ev)
{
	if (f->since_us != NOT_KNOWN && ev->time_us < f->since_us)
		return false;
	if (f->until_us != NOT_KNOWN && ev->time_us > f->until_us)
		return false;
	if (ev->verdict.benign && !f->benign)
		return false;
	if (ev->id <= f->after_id && f->after_id > 0)
		return false;
	if (f->before_id > 0 &&
	    (ev->time_us > f->before_us ||
	     (ev->time_us == f->before_us && ev->id >= f->before_id)))
		return false;
	if (f->host[0] && strcmp(f->host, ev->host))
		return false;
	return what_match(f, ev) && process_match(f, ev) && ends_match(f, ev);
}
