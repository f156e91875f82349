/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows were taken from the programs themselves: curl 7.88, Go 1.19, Java 17,
 * Node.js 20, PHP 8.2, Python 3.11, Ruby 3.1, Wget 1.21. In their text stand
 * for what the event has: %E ECONNRESET, %N 104, %S "Connection reset by peer",
 * %s the same in lower case, %P the peer, %I and %p its address and port, %L
 * our end, %C read, write or connect.
 */
#include "user/tell/words.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/tell/runtime.h"

/* What the program was told. END: of the stream, where an answer was due. */
enum told { TOLD_ANY, TOLD_READ, TOLD_WRITE, TOLD_CONNECT, TOLD_END };

struct words {
	enum runtime runtime;
	enum told told;
	int errno_nr;	 /* 0: any */
	const char *tls; /* of the connection; NULL: any */
	const char *text;
};

/* The first that fits. */
static const struct words table[] = {
	{RUNTIME_CURL, TOLD_CONNECT, ETIMEDOUT, NULL,
	 "curl: (28) Failed to connect to %I port %p: %S"},
	{RUNTIME_CURL, TOLD_CONNECT, 0, NULL,
	 "curl: (7) Failed to connect to %I port %p"},
	{RUNTIME_CURL, TOLD_READ, 0, "handshake",
	 "curl: (35) Recv failure: %S"},
	{RUNTIME_CURL, TOLD_READ, 0, NULL, "curl: (56) Recv failure: %S"},
	{RUNTIME_CURL, TOLD_WRITE, 0, NULL, "curl: (55) Send failure: %S"},
	{RUNTIME_CURL, TOLD_END, 0, "handshake",
	 "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to "
	 "%P"},
	{RUNTIME_CURL, TOLD_END, 0, NULL, "curl: (52) Empty reply from server"},
	{RUNTIME_GO, TOLD_CONNECT, 0, NULL, "dial tcp %P: connect: %s"},
	{RUNTIME_GO, TOLD_END, 0, NULL, "EOF"},
	{RUNTIME_GO, TOLD_ANY, 0, NULL, "%C tcp %L->%P: %C: %s"},
	{RUNTIME_JAVA, TOLD_CONNECT, EHOSTUNREACH, NULL,
	 "java.net.NoRouteToHostException: %S"},
	{RUNTIME_JAVA, TOLD_CONNECT, 0, NULL, "java.net.ConnectException: %S"},
	{RUNTIME_JAVA, TOLD_READ, ECONNRESET, NULL,
	 "java.net.SocketException: Connection reset"},
	{RUNTIME_JAVA, TOLD_END, 0, "handshake",
	 "javax.net.ssl.SSLHandshakeException: Remote host terminated the "
	 "handshake"},
	{RUNTIME_JAVA, TOLD_END, 0, NULL,
	 "java.net.SocketException: Unexpected end of file from server"},
	{RUNTIME_JAVA, TOLD_ANY, 0, NULL, "java.net.SocketException: %S"},
	{RUNTIME_NODE, TOLD_CONNECT, 0, NULL, "Error: connect %E %P"},
	{RUNTIME_NODE, TOLD_END, 0, "handshake",
	 "Error: Client network socket disconnected before secure TLS "
	 "connection was established"},
	{RUNTIME_NODE, TOLD_END, 0, NULL, "Error: socket hang up"},
	{RUNTIME_NODE, TOLD_ANY, 0, NULL, "Error: %C %E"},
	{RUNTIME_PHP, TOLD_CONNECT, 0, NULL, "Failed to open stream: %S"},
	{RUNTIME_PHP, TOLD_WRITE, 0, NULL, "failed with errno=%N %S"},
	{RUNTIME_PHP, TOLD_ANY, 0, NULL,
	 "Failed to open stream: HTTP request failed!"},
	{RUNTIME_PYTHON, TOLD_END, 0, "handshake",
	 "ssl.SSLZeroReturnError: TLS/SSL connection has been closed (EOF)"},
	{RUNTIME_PYTHON, TOLD_END, 0, NULL,
	 "http.client.RemoteDisconnected: Remote end closed connection without "
	 "response"},
	{RUNTIME_PYTHON, TOLD_ANY, ECONNRESET, NULL,
	 "ConnectionResetError: [Errno %N] %S"},
	{RUNTIME_PYTHON, TOLD_ANY, EPIPE, NULL,
	 "BrokenPipeError: [Errno %N] %S"},
	{RUNTIME_PYTHON, TOLD_ANY, ECONNREFUSED, NULL,
	 "ConnectionRefusedError: [Errno %N] %S"},
	{RUNTIME_PYTHON, TOLD_ANY, ECONNABORTED, NULL,
	 "ConnectionAbortedError: [Errno %N] %S"},
	{RUNTIME_PYTHON, TOLD_ANY, ETIMEDOUT, NULL,
	 "TimeoutError: [Errno %N] %S"},
	{RUNTIME_PYTHON, TOLD_ANY, 0, NULL, "OSError: [Errno %N] %S"},
	{RUNTIME_RUBY, TOLD_END, 0, "handshake",
	 "SSL_connect: unexpected eof while reading (OpenSSL::SSL::SSLError)"},
	{RUNTIME_RUBY, TOLD_END, 0, NULL, "end of file reached (EOFError)"},
	{RUNTIME_RUBY, TOLD_ANY, 0, NULL, "%S (Errno::%E)"},
	{RUNTIME_WGET, TOLD_CONNECT, 0, NULL, "failed: %S."},
	{RUNTIME_WGET, TOLD_READ, 0, NULL, "Read error (%S) in headers."},
	{RUNTIME_WGET, TOLD_END, 0, NULL, "No data received."},
	{RUNTIME_OTHER, TOLD_END, 0, NULL, "end of file"},
	{RUNTIME_OTHER, TOLD_ANY, 0, NULL, "%C: %S"},
};

static enum told told_of(const struct event *ev)
{
	const struct fact_call *call = &ev->syscall;

	if (ev->kind == KIND_SENT || !call->known)
		return TOLD_ANY;
	if (call->errno_nr == NOT_KNOWN)
		return call->class == CALL_READ && ev->role != ROLE_SERVER
			       ? TOLD_END
			       : TOLD_ANY;
	switch (call->class) {
	case CALL_READ:
		return TOLD_READ;
	case CALL_WRITE:
		return TOLD_WRITE;
	case CALL_CONNECT:
		return TOLD_CONNECT;
	default:
		return TOLD_ANY;
	}
}

/* The last rows of the table fit whatever was told. */
static const char *text_of(const struct event *ev, enum told told)
{
	enum runtime runtime = runtime_of(&ev->process);
	const struct words *w = table;

	while ((w->runtime != runtime && w->runtime != RUNTIME_OTHER) ||
	       (w->told != told && w->told != TOLD_ANY) ||
	       (w->errno_nr && w->errno_nr != ev->syscall.errno_nr) ||
	       (w->tls && strcmp(w->tls, ev->tls)))
		w++;
	return w->text;
}

static void fill_in(char what, const struct event *ev, char *out, size_t size)
{
	int nr = (int)ev->syscall.errno_nr;
	const char *name = errno_name(nr), *words = strerrordesc_np(nr);

	*out = '\0';
	switch (what) {
	case 'E':
		if (name)
			snprintf(out, size, "%s", name);
		else
			snprintf(out, size, "errno %d", nr);
		break;
	case 'N':
		snprintf(out, size, "%d", nr);
		break;
	case 'S':
	case 's':
		snprintf(out, size, "%s", words ? words : "Unknown error");
		if (what == 's')
			*out = (char)tolower(*out);
		break;
	case 'P':
		format_endpoint(ev->family, ev->peer.ip, ev->peer.port, out,
				size);
		break;
	case 'L':
		format_endpoint(ev->family, ev->local.ip, ev->local.port, out,
				size);
		break;
	case 'I':
		format_ip(ev->family, ev->peer.ip, out);
		break;
	case 'p':
		snprintf(out, size, "%u", ev->peer.port);
		break;
	case 'C':
		snprintf(out, size, "%s", call_class_name(ev->syscall.class));
		break;
	}
}

void words_of(const struct event *ev, char out[WORDS_TEXT])
{
	enum told told = told_of(ev);
	char part[IP_TEXT + 16];
	const char *text;
	size_t used = 0;

	*out = '\0';
	if (told == TOLD_ANY)
		return;
	for (text = text_of(ev, told); *text && used < WORDS_TEXT; text++) {
		if (*text == '%')
			fill_in(*++text, ev, part, sizeof(part));
		else
			snprintf(part, sizeof(part), "%c", *text);
		used += snprintf(out + used, WORDS_TEXT - used, "%s", part);
	}
}
