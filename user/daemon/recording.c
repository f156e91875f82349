/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/recording.h"

#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/observe/record.h"

int recording_open(struct recording *r, const char *path,
		   const struct record_context *ctx)
{
	r->path = path;
	r->file = fopen(path, "we");
	if (!r->file)
		return -errno;
	return record_write_header(r->file, ctx);
}

static void give_up(struct recording *r, int err)
{
	log_error("cannot write %s: %s; records are no longer kept", r->path,
		  strerror(err));
	recording_close(r);
	r->failed = true;
}

void recording_write(struct recording *r, const void *data, size_t size)
{
	int err = 0;

	if (r->file && !record_check(data, size))
		err = record_write(r->file, data);
	if (err)
		give_up(r, -err);
}

void recording_flush(struct recording *r)
{
	if (r->file && fflush(r->file))
		give_up(r, errno);
}

void recording_close(struct recording *r)
{
	if (r->file)
		fclose(r->file);
	r->file = NULL;
}
