/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/http_token.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its one line without the newline; false: it is none of a token. */
static bool trim(char *text, size_t size)
{
	if (size && text[size - 1] == '\n')
		size--;
	if (size < HTTP_TOKEN_LEAST || size >= HTTP_TOKEN)
		return false;
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memset(text + size, 0, HTTP_TOKEN - size);
	return true;
}

static int read_open(int fd, char text[HTTP_TOKEN + 1], size_t *size)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_mode & S_IRWXO)
		return -EPERM;
	n = read(fd, text, HTTP_TOKEN + 1);
	if (n < 0)
		return -errno;
	*size = n;
	return 0;
}

int http_token_read(const char *path, char token[HTTP_TOKEN], char *err,
		    size_t err_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : 0;
	char text[HTTP_TOKEN + 1] = "";
	size_t size = 0;

	if (!rc) {
		rc = read_open(fd, text, &size);
		close(fd);
	}
	if (rc == -EPERM)
		snprintf(err, err_size,
			 "the token file %s is open to others: chmod o= it",
			 path);
	else if (rc)
		snprintf(err, err_size, "the token file %s: %s", path,
			 strerror(-rc));
	else if (trim(text, size))
		memcpy(token, text, HTTP_TOKEN);
	else
		rc = snprintf(err, err_size,
			      "the token file %s must be one line of %d to %d "
			      "printable characters without blanks",
			      path, HTTP_TOKEN_LEAST, HTTP_TOKEN - 1);
	explicit_bzero(text, sizeof(text));
	return rc ? -EINVAL : 0;
}

bool http_token_borne(const char token[HTTP_TOKEN], const char *authorization)
{
	char given[HTTP_TOKEN] = "";
	size_t n;

	if (!authorization || strncasecmp(authorization, "Bearer ", 7))
		return false;
	authorization += 7 + strspn(authorization + 7, " ");
	n = strlen(authorization);
	if (n >= sizeof(given))
		return false;
	memcpy(given, authorization, n);
	return memeql_sec(given, token, sizeof(given));
}
