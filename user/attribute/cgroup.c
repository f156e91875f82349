// SPDX-License-Identifier: Apache-2.0
/*
 * What the path of a cgroup tells of its processes. Each line of
 * /proc/PID/cgroup is "hierarchy:controllers:path". Only some hierarchies are
 * kept in order by systemd or by the container engine, so the lines are asked
 * by trust: version 2 ("0::"), then systemd's own (name=systemd), then the
 * others; each may fill only what is still empty.
 *
 * Within a path the innermost name counts: a container in a container, a unit
 * of a user's manager in user@1000.service.
 */
#include <string.h>

#include "user/attribute/process.h"
#include "user/base/base.h"

#define CONTAINER_HEX 64

struct part {
	const char *text;
	size_t size;
};

static bool starts_with(struct part p, const char *prefix)
{
	size_t n = strlen(prefix);

	return p.size >= n && memcmp(p.text, prefix, n) == 0;
}

static bool ends_with(struct part p, const char *suffix)
{
	size_t n = strlen(suffix);

	return p.size > n && memcmp(p.text + p.size - n, suffix, n) == 0;
}

static struct part without_prefix(struct part p, const char *prefix)
{
	size_t n = strlen(prefix);

	return (struct part){p.text + n, p.size - n};
}

static bool is_hex(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (!digit && (text[i] < 'a' || text[i] > 'f'))
			return false;
	}
	return true;
}

/* "HEX", "docker-HEX.scope", "libpod-payload-HEX" ... */
static bool find_container(struct part p, char out[65])
{
	static const char *const engines[] = {
		"docker-", "cri-containerd-", "containerd-",
		"crio-",   "libpod-payload-", "libpod-",
	};

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		if (starts_with(p, engines[i])) {
			p = without_prefix(p, engines[i]);
			break;
		}
	}
	if (ends_with(p, ".scope"))
		p.size -= strlen(".scope");
	if (p.size != CONTAINER_HEX || !is_hex(p.text, p.size))
		return false;
	memcpy(out, p.text, p.size);
	out[p.size] = '\0';
	return true;
}

/* 8-4-4-4-12 hex digits, or the 32 of a static pod (a hash of its file). */
static bool is_pod_uid(const char *text, size_t size)
{
	static const uint8_t dashes[] = {8, 13, 18, 23};
	size_t at = 0;

	if (size == 32)
		return is_hex(text, size);
	if (size != 36)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(dashes); i++) {
		size_t dash = dashes[i];

		if (text[dash] != '-' || !is_hex(text + at, dash - at))
			return false;
		at = dash + 1;
	}
	return is_hex(text + at, size - at);
}

/* "kubepods-burstable-podUID.slice" with _ for -, or "podUID" (cgroupfs). */
static bool find_pod(struct part p, char out[40])
{
	static const char *const prefixes[] = {
		"kubepods-burstable-pod",
		"kubepods-besteffort-pod",
		"kubepods-pod",
		"pod",
	};
	size_t i = 0;
	char uid[40];

	while (i < ARRAY_SIZE(prefixes) && !starts_with(p, prefixes[i]))
		i++;
	if (i == ARRAY_SIZE(prefixes))
		return false;
	p = without_prefix(p, prefixes[i]);
	if (ends_with(p, ".slice"))
		p.size -= strlen(".slice");
	if (p.size >= sizeof(uid))
		return false;
	for (i = 0; i < p.size; i++)
		uid[i] = p.text[i] == '_' ? '-' : p.text[i];
	if (!is_pod_uid(uid, p.size))
		return false;
	memcpy(out, uid, p.size);
	out[p.size] = '\0';
	return true;
}

/*
 * A service or scope, as systemctl knows it: its \x2d stays, since that is how
 * the name is typed, but the "_" that systemd puts before a name which would
 * clash with a file of the kernel goes.
 */
static bool find_unit(struct part p, char *out, size_t size)
{
	char name[256];

	if (!ends_with(p, ".service") && !ends_with(p, ".scope"))
		return false;
	if (p.text[0] == '_') {
		p.text++;
		p.size--;
	}
	if (p.size >= sizeof(name))
		return false;
	memcpy(name, p.text, p.size);
	name[p.size] = '\0';
	format_safe(name, out, size);
	return true;
}

struct found {
	char unit[128], container[65], pod[40];
	bool lxc; /* its units are those of another systemd */
};

static void take_part(struct part p, struct found *f)
{
	if (starts_with(p, "lxc.payload") || starts_with(p, "lxc.monitor") ||
	    (p.size == 3 && starts_with(p, "lxc")))
		f->lxc = true;
	if (find_container(p, f->container) || find_pod(p, f->pod))
		return; /* a container's own scope is no unit beside it */
	find_unit(p, f->unit, sizeof(f->unit));
}

/*
 * Parts end at '/', and at ':': containerd that was not told of systemd takes
 * "kubepods-podUID.slice:cri-containerd:HEX" for one name.
 */
static void read_path(const char *path, size_t size, struct found *f)
{
	static const char gone[] = " (deleted)";
	struct part whole = {path, size};
	const char *end, *stop;

	if (ends_with(whole, gone))
		whole.size -= strlen(gone);
	stop = path + whole.size;
	for (; path < stop; path = end + 1) {
		end = path;
		while (end < stop && *end != '/' && *end != ':')
			end++;
		if (end > path)
			take_part((struct part){path, (size_t)(end - path)}, f);
	}
	if (f->lxc)
		f->unit[0] = '\0';
}

enum trust { TRUST_V2, TRUST_SYSTEMD, TRUST_OTHER, TRUSTS };

/* Splits "hierarchy:controllers:path"; NULL: no such line. */
static const char *line_path(const char *line, size_t size, enum trust *trust)
{
	const char *first = memchr(line, ':', size), *second;
	const char *stop = line + size;
	struct part controllers;

	if (!first)
		return NULL;
	first++;
	second = memchr(first, ':', (size_t)(stop - first));
	if (!second)
		return NULL;
	controllers = (struct part){first, (size_t)(second - first)};
	if (controllers.size == 0)
		*trust = TRUST_V2;
	else if (starts_with(controllers, "name=systemd"))
		*trust = TRUST_SYSTEMD;
	else
		*trust = TRUST_OTHER;
	return second + 1;
}

static void copy_if_empty(char *out, const char *text, size_t size)
{
	if (out[0] == '\0')
		memcpy(out, text, size);
}

static void read_lines(const char *text, enum trust wanted, struct process *out)
{
	while (*text) {
		size_t size = strcspn(text, "\n");
		struct found f = {0};
		enum trust trust = TRUSTS;
		const char *path = line_path(text, size, &trust);

		if (path && trust == wanted) {
			read_path(path, (size_t)(text + size - path), &f);
			copy_if_empty(out->unit, f.unit, sizeof(f.unit));
			copy_if_empty(out->container, f.container,
				      sizeof(f.container));
			copy_if_empty(out->pod, f.pod, sizeof(f.pod));
		}
		text += size + (text[size] == '\n');
	}
}

void cgroup_identify(const char *text, struct process *out)
{
	out->unit[0] = '\0';
	out->container[0] = '\0';
	out->pod[0] = '\0';
	for (enum trust t = TRUST_V2; t < TRUSTS; t++)
		read_lines(text, t, out);
}
