/* SPDX-License-Identifier: Apache-2.0 */
#include "user/tell/runtime.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"

/* python3.11, php8.2, ruby3.1: a version may follow. */
static const struct {
	const char *name;
	enum runtime runtime;
} programs[] = {
	{"curl", RUNTIME_CURL},	  {"java", RUNTIME_JAVA},
	{"node", RUNTIME_NODE},	  {"nodejs", RUNTIME_NODE},
	{"php", RUNTIME_PHP},	  {"php-fpm", RUNTIME_PHP},
	{"pypy", RUNTIME_PYTHON}, {"python", RUNTIME_PYTHON},
	{"ruby", RUNTIME_RUBY},	  {"wget", RUNTIME_WGET},
};

static enum runtime by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		size_t n = strlen(programs[i].name);

		if (!strncmp(name, programs[i].name, n) &&
		    !name[n + strspn(name + n, "0123456789.")])
			return programs[i].runtime;
	}
	return RUNTIME_OTHER;
}

/* Go's linker marks each program with a section that holds its build id. */
static bool has_go_section(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;
	GElf_Shdr head;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name =
			gelf_getshdr(section, &head)
				? elf_strptr(elf, names, head.sh_name)
				: NULL;

		if (name && !strcmp(name, ".note.go.buildid"))
			return true;
	}
	return false;
}

static bool is_go(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool found = false;
	Elf *elf;

	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf)
		found = has_go_section(elf);
	elf_end(elf);
	close(fd);
	return found;
}

enum runtime runtime_of(const struct event_process *p)
{
	const char *slash = strrchr(p->exe, '/');
	enum runtime runtime;

	if (!p->known)
		return RUNTIME_OTHER;
	if (!slash)
		return by_name(p->comm);
	runtime = by_name(slash + 1);
	/* the path of a container means another file here */
	if (runtime == RUNTIME_OTHER && !*p->container && is_go(p->exe))
		return RUNTIME_GO;
	return runtime;
}
