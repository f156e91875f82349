/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the first bytes of a connection look like. They are read from the
 * caller's own buffer (kernel.md, section 12), judged here, and not kept.
 */
#ifndef RSTSCOPE_LABEL_H
#define RSTSCOPE_LABEL_H

#include "bpf/compat.h"
#include "bpf/maps.h"

#define LABEL_BYTES 16

struct user_iovec {
	u64 base;
	u64 len;
};

struct user_msghdr {
	u64 name;
	u32 namelen;
	u32 pad;
	u64 iov;
	u64 iovlen;
};

#if defined(__TARGET_ARCH_x86)
enum {
	NR_READ = 0,
	NR_WRITE = 1,
	NR_READV = 19,
	NR_WRITEV = 20,
	NR_SENDTO = 44,
	NR_RECVFROM = 45,
	NR_SENDMSG = 46,
	NR_RECVMSG = 47,
	NR_RECVMMSG = 299,
	NR_SENDMMSG = 307
};
#else
enum {
	NR_READ = 63,
	NR_WRITE = 64,
	NR_READV = 65,
	NR_WRITEV = 66,
	NR_SENDTO = 206,
	NR_RECVFROM = 207,
	NR_SENDMSG = 211,
	NR_RECVMSG = 212,
	NR_RECVMMSG = 243,
	NR_SENDMMSG = 269
};
#endif

/* The address of the first byte that the current call moved, or 0. */
static __always_inline u64 label_buffer(void)
{
	struct task_struct *task = current_task();
	struct user_msghdr msg;
	struct user_iovec iov;
	struct pt_regs *regs;
	u64 arg;

	if (TASK(task, flags) & (PF_KTHREAD | PF_IO_WORKER))
		return 0;
	regs = task_regs(task);
	if (!regs || !REGS_ARE_USERS(regs) || REGS_COMPAT(regs))
		return 0;
	arg = REGS_ARG2(regs);
	switch (REGS_NR(regs)) {
	case NR_READ:
	case NR_WRITE:
	case NR_SENDTO:
	case NR_RECVFROM:
		return arg;
	case NR_SENDMSG:
	case NR_RECVMSG:
	case NR_SENDMMSG:
	case NR_RECVMMSG: /* struct mmsghdr begins with its msghdr */
		if (bpf_probe_read_user(&msg, sizeof(msg), (void *)arg))
			return 0;
		arg = msg.iov;
		break;
	case NR_READV:
	case NR_WRITEV:
		break;
	default:
		return 0;
	}
	if (bpf_probe_read_user(&iov, sizeof(iov), (void *)arg) ||
	    iov.len < LABEL_BYTES)
		return iov.len ? iov.base : 0;
	return iov.base;
}

#define WORD(a, b, c, d)                                                       \
	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static __always_inline bool is_tls(const u8 *b)
{
	return b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4;
}

static __always_inline u8 label_text(u32 word)
{
	switch (word) {
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'O', 'S', 'T'):
	case WORD('P', 'U', 'T', ' '):
	case WORD('H', 'E', 'A', 'D'):
	case WORD('D', 'E', 'L', 'E'):
	case WORD('O', 'P', 'T', 'I'):
	case WORD('P', 'A', 'T', 'C'):
	case WORD('C', 'O', 'N', 'N'):
	case WORD('T', 'R', 'A', 'C'):
		return LABEL_HTTP_REQUEST;
	case WORD('H', 'T', 'T', 'P'):
		return LABEL_HTTP_ANSWER;
	case WORD('P', 'R', 'I', ' '):
		return LABEL_HTTP2;
	case WORD('P', 'R', 'O', 'X'):
	case WORD('\r', '\n', '\r', '\n'):
		return LABEL_PROXY;
	case WORD('S', 'S', 'H', '-'):
		return LABEL_SSH;
	case WORD('A', 'M', 'Q', 'P'):
		return LABEL_AMQP;
	case WORD('2', '2', '0', ' '):
	case WORD('2', '2', '0', '-'):
	case WORD('E', 'H', 'L', 'O'):
	case WORD('H', 'E', 'L', 'O'):
		return LABEL_SMTP;
	case WORD('+', 'P', 'O', 'N'):
	case WORD('-', 'E', 'R', 'R'):
	case WORD('-', 'N', 'O', 'A'):
	case WORD('-', 'D', 'E', 'N'):
		return LABEL_REDIS;
	}
	return LABEL_NONE;
}

static __always_inline bool is_mongo(const u8 *b)
{
	u32 opcode = WORD(b[12], b[13], b[14], b[15]);

	return opcode == 2013 || opcode == 2004 || opcode == 2012;
}

static __always_inline bool is_postgres(const u8 *b)
{
	u32 code = WORD(b[7], b[6], b[5], b[4]);

	return !b[0] && !b[1] &&
	       (code == 196608 || code == 80877103 || code == 80877104 ||
		code == 80877102);
}

static __always_inline u8 label_binary(const u8 *b, bool out)
{
	/* server greeting v10, or an error packet instead of one */
	if (!out && !b[2] && !b[3] && (b[4] == 0x0a || b[4] == 0xff))
		return LABEL_MYSQL;
	if (out && is_postgres(b))
		return LABEL_POSTGRES;
	if (b[0] == '*' && b[1] >= '0' && b[1] <= '9' && out)
		return LABEL_REDIS;
	if (b[0] == 0x10 && b[4] == 'M' && b[5] == 'Q')
		return LABEL_MQTT;
	if (out && b[0] == 5 && b[1] >= 1 && b[1] <= 3 && b[2] <= 2)
		return LABEL_SOCKS;
	if (is_mongo(b))
		return LABEL_MONGO;
	return LABEL_OTHER;
}

static __always_inline u8 label_of(const u8 *b, bool out)
{
	u8 label;

	if (is_tls(b))
		return LABEL_TLS;
	label = label_text(WORD(b[0], b[1], b[2], b[3]));
	return label ? label : label_binary(b, out);
}

static __always_inline void label_tls(struct conn *conn, const u8 *b, bool out)
{
	switch (b[0]) {
	case 0x16:
		conn->tls |= out ? TLS_HELLO_OUT : TLS_HELLO_IN;
		break;
	case 0x14: /* ChangeCipherSpec */
	case 0x17: /* application data */
		conn->tls |= out ? TLS_MOVED_OUT : TLS_MOVED_IN;
		break;
	case 0x15: /* alert: in the clear it is 2 bytes, level and description
		    */
		conn->tls |= out ? TLS_ALERT_OUT : TLS_ALERT_IN;
		if (!b[3] && b[4] == 2)
			conn->tls_alert = b[6] + 1;
		break;
	}
}

#define TLS_ALERT_BYTES 24
#define CONTROL_BYTES	48

/*
 * The handshake is over for a client when more than an alert has come after its
 * own last flight; and control frames of HTTP/2 come after longer writes only.
 */
static __always_inline void label_tls_sizes(struct conn *conn, const u8 *b,
					    u32 bytes, bool out)
{
	if (!out && (conn->tls & TLS_MOVED_OUT) && bytes > TLS_ALERT_BYTES)
		conn->tls |= TLS_ANSWERED;
	if (out && b[0] == 0x17 && bytes > CONTROL_BYTES)
		conn->asked_tls = 1;
}

static __always_inline u16 http_status(const u8 *b)
{
	u16 a = b[9] - '0', c = b[10] - '0', d = b[11] - '0';

	return a < 10 && c < 10 && d < 10 ? a * 100 + c * 10 + d : 0;
}

static __always_inline long label_read(u8 *b, u32 bytes, u64 at)
{
	if (bytes >= LABEL_BYTES)
		return bpf_probe_read_user(b, LABEL_BYTES, (void *)at);
	asm volatile("" : "+r"(bytes)); /* the verifier needs the mask */
	return bpf_probe_read_user(b, bytes & (LABEL_BYTES - 1), (void *)at);
}

#define NOTICE_BYTES 32

/* 'E' length "SFATAL\0" "VFATAL\0" 'C' SQLSTATE: the code stands at 20. */
static __always_inline u8 notice_postgres(const u8 *b)
{
	if (b[0] != 'E' || b[1] || b[5] != 'S')
		return NOTICE_NONE;
	if (b[19] != 'C')
		return NOTICE_ERROR;
	if (b[20] == '5' && b[21] == '3')
		return NOTICE_LIMIT; /* 53300 too many connections */
	if (b[20] == '5' && b[21] == '7' && b[22] == 'P')
		return b[24] == '5' ? NOTICE_IDLE : NOTICE_SHUTDOWN;
	if (b[20] == '2' && b[21] == '5' && b[22] == 'P' && b[24] == '3')
		return NOTICE_IDLE; /* 25P03 idle in transaction */
	return NOTICE_ERROR;
}

/* An ERR packet: length, sequence, 0xff, code. */
static __always_inline u8 notice_mysql(const u8 *b)
{
	if (b[2] || b[4] != 0xff)
		return NOTICE_NONE;
	switch (b[5] | b[6] << 8) {
	case 1040: /* ER_CON_COUNT_ERROR */
	case 1203: /* ER_TOO_MANY_USER_CONNECTIONS */
	case 1226: /* ER_USER_LIMIT_REACHED */
		return NOTICE_LIMIT;
	case 1053: /* ER_SERVER_SHUTDOWN */
		return NOTICE_SHUTDOWN;
	case 1927: /* ER_CONNECTION_KILLED, MariaDB */
	case 1317: /* ER_QUERY_INTERRUPTED */
		return NOTICE_KILLED;
	case 4031: /* ER_CLIENT_INTERACTION_TIMEOUT */
		return NOTICE_IDLE;
	}
	return NOTICE_ERROR;
}

static __always_inline u8 notice_redis(const u8 *b)
{
	if (b[0] != '-')
		return NOTICE_NONE;
	/* "-ERR max number of clients reached" */
	return b[5] == 'm' && b[6] == 'a' && b[7] == 'x' ? NOTICE_LIMIT
							 : NOTICE_ERROR;
}

static __always_inline void label_notice(struct conn *conn, u32 bytes, u64 at)
{
	u8 b[NOTICE_BYTES] = {};
	u8 notice;

	if (bytes >= NOTICE_BYTES) {
		if (bpf_probe_read_user(b, NOTICE_BYTES, (void *)at))
			return;
	} else {
		asm volatile("" : "+r"(bytes));
		if (bpf_probe_read_user(b, bytes & (NOTICE_BYTES - 1),
					(void *)at))
			return;
	}
	notice = notice_postgres(b);
	if (!notice)
		notice = notice_mysql(b);
	if (!notice)
		notice = notice_redis(b);
	if (notice)
		conn->notice = notice;
}

/* Judges the bytes that the current call moved; `bytes` of them. */
static __always_inline void label_note(struct conn *conn, u32 bytes, bool out)
{
	u64 at = label_buffer();
	u8 b[LABEL_BYTES] = {};
	u8 *first = out ? &conn->first_out : &conn->first_in;

	if (!at || label_read(b, bytes, at))
		return;
	if (is_tls(b))
		label_tls(conn, b, out);
	label_tls_sizes(conn, b, bytes, out);
	if (*first == LABEL_NONE) {
		*first = label_of(b, out);
		if (out)
			conn->first_out_len = bytes;
		else
			conn->first_in_len = bytes;
	}
	if (!out)
		label_notice(conn, bytes, at);
	if (!out &&
	    label_text(WORD(b[0], b[1], b[2], b[3])) == LABEL_HTTP_ANSWER)
		conn->http_status = http_status(b);
}

/*
 * Writes that ask for nothing, as whole messages. Farewells: PostgreSQL
 * Terminate, MySQL COM_QUIT, QUIT of SMTP and its kin, TLS close_notify (an
 * alert record; in TLS 1.3 it looks like 3 bytes of data). Control frames of
 * HTTP/2 (WINDOW_UPDATE, PING, SETTINGS, GOAWAY): 9 to 17 bytes, twice at most,
 * and 22 more inside TLS.
 */

static __always_inline u8 last_word_tls(const struct conn *conn, const u8 *b)
{
	if (b[0] == 0x15 || (b[0] == 0x17 && !b[3] && b[4] == 0x13))
		return CONN_GOODBYE;
	return conn->asked_tls ? CONN_CONTROL : 0;
}

static __always_inline u8 last_word_plain(const u8 *b, int bytes)
{
	if (bytes > 8)
		return 0;
	if ((WORD(b[0], b[1], b[2], b[3]) | 0x20202020) ==
	    WORD('q', 'u', 'i', 't'))
		return CONN_GOODBYE;
	if (bytes != 5)
		return 0;
	if (b[0] == 'X' && !b[1] && !b[2] && !b[3] && b[4] == 4)
		return CONN_GOODBYE;
	return b[0] == 1 && !b[1] && !b[2] && !b[3] && b[4] == 1 ? CONN_GOODBYE
								 : 0;
}

/* CONN_GOODBYE, CONN_CONTROL, or 0: an ordinary write. */
static __always_inline u8 label_last_word(const struct conn *conn, int bytes)
{
	u8 label = conn->first_out;
	u8 b[5] = {};
	u64 at;

	if (label == LABEL_HTTP2)
		return CONN_CONTROL;
	if (label == LABEL_TLS ? !(conn->tls & TLS_MOVED_OUT) : bytes > 8)
		return 0;
	if (bytes < (int)sizeof(b))
		return 0;
	at = label_buffer();
	if (!at || bpf_probe_read_user(b, sizeof(b), (void *)at))
		return 0;
	return label == LABEL_TLS ? last_word_tls(conn, b)
				  : last_word_plain(b, bytes);
}

#endif
