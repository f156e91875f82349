/* SPDX-License-Identifier: Apache-2.0 */
#include "user/attribute/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <dlfcn.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"

#define FILES	       16
#define FILE_BYTES_MAX (2ll << 30)

/* __cxa_demangle() of the C++ ABI. */
typedef char *(*demangle_fn)(const char *name, char *out, size_t *size,
			     int *status);

struct symbols_file {
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	uint64_t used; /* when last, by the count of uses; 0: empty */
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: no ELF file */
	Elf *elf;
	GElf_Addr bias;
};

struct symbols {
	uint64_t uses;
	void *cxx; /* NULL: C++ names stay as they are in the file */
	demangle_fn demangle;
	struct symbols_file file[FILES];
};

/* Separate symbols by build id, from /usr/lib/debug. */
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

struct symbols *symbols_new(void)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	/* where a C++ program runs, its library is */
	s->cxx = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
	if (s->cxx)
		s->demangle = (demangle_fn)dlsym(s->cxx, "__cxa_demangle");
	return s;
}

static void file_clear(struct symbols_file *f)
{
	if (f->dwfl)
		dwfl_end(f->dwfl);
	memset(f, 0, sizeof(*f));
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < FILES; i++)
		file_clear(&s->file[i]);
	if (s->cxx)
		dlclose(s->cxx);
	free(s);
}

static bool is_same(const struct symbols_file *f, const struct stat *st)
{
	return f->used && f->dev == st->st_dev && f->ino == st->st_ino &&
	       f->changed.tv_sec == st->st_ctim.tv_sec &&
	       f->changed.tv_nsec == st->st_ctim.tv_nsec;
}

/* That of the file, or the one that is longest out of use. */
static struct symbols_file *find(struct symbols *s, const struct stat *st)
{
	struct symbols_file *oldest = &s->file[0];

	for (size_t i = 0; i < FILES; i++) {
		struct symbols_file *f = &s->file[i];

		if (is_same(f, st))
			return f;
		if (f->used < oldest->used)
			oldest = f;
	}
	return oldest;
}

/* Takes the descriptor. */
static void load(struct symbols_file *f, int fd)
{
	f->dwfl = dwfl_begin(&callbacks);
	if (!f->dwfl) {
		close(fd);
		return;
	}
	dwfl_report_begin(f->dwfl);
	f->module = dwfl_report_offline(f->dwfl, "module", "module", fd);
	if (!f->module)
		close(fd);
	dwfl_report_end(f->dwfl, NULL, NULL);
	if (f->module)
		f->elf = dwfl_module_getelf(f->module, &f->bias);
}

struct symbols_file *symbols_open(struct symbols *s, int fd)
{
	struct symbols_file *f;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_BYTES_MAX) {
		close(fd);
		return NULL;
	}
	f = find(s, &st);
	if (is_same(f, &st)) {
		close(fd);
	} else {
		file_clear(f);
		f->dev = st.st_dev;
		f->ino = st.st_ino;
		f->changed = st.st_ctim;
		load(f, fd);
	}
	f->used = ++s->uses;
	return f->elf ? f : NULL;
}

/* The address that libdwfl gives that offset of the file, or 0. */
static GElf_Addr address_of(const struct symbols_file *f, uint64_t offset)
{
	size_t n = 0;
	GElf_Phdr p;

	if (elf_getphdrnum(f->elf, &n))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(f->elf, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		if (offset - p.p_offset < p.p_filesz)
			return offset - p.p_offset + p.p_vaddr + f->bias;
	}
	return 0;
}

static void write_name(const struct symbols *s, const char *name, char *out,
		       size_t size)
{
	char *plain = NULL;
	int status = 0;

	if (s->demangle && !strncmp(name, "_Z", 2))
		plain = s->demangle(name, NULL, NULL, &status);
	format_safe(plain ? plain : name, out, size);
	free(plain);
}

void symbols_name(const struct symbols *s, struct symbols_file *f,
		  uint64_t offset, char *out, size_t size)
{
	GElf_Addr address = address_of(f, offset);
	const char *name = NULL;
	GElf_Off within = 0;
	GElf_Sym symbol;

	out[0] = '\0';
	if (address)
		name = dwfl_module_addrinfo(f->module, address, &within,
					    &symbol, NULL, NULL, NULL);
	/* libdwfl also names the nearest symbol before, of any size */
	if (name && (!symbol.st_size || within < symbol.st_size))
		write_name(s, name, out, size);
}

int symbols_return_slot(struct symbols_file *f, uint64_t offset)
{
#if defined(__x86_64__)
	enum { STACK_POINTER = 7, RETURN_WORDS = 1 };
	GElf_Addr address = address_of(f, offset);
	Dwarf_Frame *frame = NULL;
	Dwarf_Op *ops = NULL;
	Dwarf_Addr bias = 0;
	int slot = -ENOENT;
	Dwarf_CFI *cfi;
	size_t n = 0;

	cfi = address ? dwfl_module_eh_cfi(f->module, &bias) : NULL;
	if (!cfi || dwarf_cfi_addrframe(cfi, address - bias, &frame))
		return -ENOENT;
	/* "stack pointer and a number": the address is the word below */
	if (!dwarf_frame_cfa(frame, &ops, &n) && n == 1 &&
	    ops[0].atom == DW_OP_bregx && ops[0].number == STACK_POINTER &&
	    ops[0].number2 % 8 == 0 && ops[0].number2 / 8 <= 1024 &&
	    ops[0].number2)
		slot = (int)(ops[0].number2 / 8) - RETURN_WORDS;
	free(frame);
	return slot;
#else
	(void)f, (void)offset;
	return -ENOENT;
#endif
}
