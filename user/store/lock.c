/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/store/backend.h"
#include "user/store/lock.h"

static int lock_busy(const char *path, int fd, char *err, size_t err_size)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	return store_fail(err, err_size, EBUSY,
			  "store %s: another rstscoped%s%s%s writes to it",
			  path, pid[0] ? " (pid " : "", pid, pid[0] ? ")" : "");
}

static void lock_sign(int fd)
{
	char pid[24];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	/* Only a courtesy to whoever is refused; the lock is the flock. */
	if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n)
		log_debug("lock: %s", strerror(errno));
}

int lock_take(const char *path, int *out, char *err, size_t err_size)
{
	char *name;
	int fd, nr;

	if (asprintf(&name, "%s.lock", path) < 0)
		return store_fail(err, err_size, ENOMEM,
				  "store %s: out of memory", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	nr = errno;
	free(name);
	if (fd < 0)
		return store_fail(err, err_size, nr,
				  "store %s: cannot write beside it: %s", path,
				  strerror(nr));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		nr = errno == EWOULDBLOCK
			     ? lock_busy(path, fd, err, err_size)
			     : store_fail(err, err_size, errno,
					  "store %s: cannot lock it: %s", path,
					  strerror(errno));
		close(fd);
		return nr;
	}
	lock_sign(fd);
	*out = fd;
	return 0;
}
