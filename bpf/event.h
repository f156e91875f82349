/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the probes and the daemon: what travels in the ring.
 *
 * Every record starts with struct rec_head. All fields have a fixed width,
 * padding is explicit, sizes are asserted at the end. A group of fields is
 * meaningful only if its bit is set in `known`; nothing else says that a zero
 * was observed. Times are CLOCK_MONOTONIC nanoseconds unless named otherwise;
 * "_jiffies" are differences in ticks of the kernel's HZ, REC_NEVER where the
 * kernel has no such time. Ports are in host order, addresses in network order
 * (an IPv4 address, also an IPv4-mapped one, stands in the first four bytes).
 */
#ifndef RSTSCOPE_EVENT_H
#define RSTSCOPE_EVENT_H

#ifndef __VMLINUX_H__
#ifndef RSTSCOPE_BPF
#include <linux/types.h>
#endif
#endif

#define REC_ABI	   1
#define REC_COMM   16
#define REC_FRAMES 64
#define REC_TOP	   16
#define REC_NEVER  0xffffffffu

enum rec_kind {
	REC_NONE = 0,
	REC_RECEIVED, /* a RST ended a socket of ours */
	REC_SENT,     /* this host sent a RST */
	REC_ERROR,    /* a socket died without one: sk->sk_err says how */
	REC_HANGUP,   /* a reader was told EOF while an answer was due */
	REC_TOLD,     /* a system call returned the error of `failure` */
	REC_CLOSED,   /* the socket of `failure` was closed, by this task */
	REC_EXIT,     /* a process ended: by a signal, or one that listened */
	REC_OOM,      /* the OOM killer chose this process */
	REC_STACK,    /* where the call of `failure` came from */
	REC_KINDS,
};

/* rec_failure.known: which groups of fields hold observations. */
enum rec_known {
	KNOWN_TUPLE = 1 << 0,	/* family, addresses, ports, netns */
	KNOWN_SOCK = 1 << 1,	/* struct rec_sock: a full tcp_sock was read */
	KNOWN_TASK = 1 << 2,	/* task: current really acted on this socket */
	KNOWN_OWNER = 1 << 3,	/* owner: who opened it (how: enum rec_how) */
	KNOWN_BIRTH = 1 << 4,	/* established_ns */
	KNOWN_LABELS = 1 << 5,	/* first_out ... alert: first bytes were seen */
	KNOWN_CLOSER = 1 << 6,	/* closer: our own end had been closed by it */
	KNOWN_OTHER = 1 << 7,	/* other: the other end, closed on this host */
	KNOWN_SKB = 1 << 8,	/* skb_*: the segment that provoked our RST */
	KNOWN_PACKET = 1 << 9,	/* rst_*: the RST that was received */
	KNOWN_REASON = 1 << 10, /* reason: enum sk_rst_reason of this kernel */
	KNOWN_NETFILTER = 1
			  << 11, /* netfilter dropped our segment just before */
	KNOWN_ASKED = 1 << 12,	 /* answered: see struct rec_conn */
	KNOWN_HANDSHAKE_TTL = 1 << 13,
	KNOWN_LISTENER = 1 << 14, /* a socket of this host listens on lport */
	KNOWN_PLACE =
		1 << 16, /* place_*: what became of our other connections */
	KNOWN_RST_OPTIONS = 1
			    << 15, /* rst_timestamps: timestamps were agreed */
};

enum rec_role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER };

/* How a struct rec_task came to be known. */
enum rec_how {
	HOW_CURRENT = 1, /* it ran in its own context: a system call or exit */
	HOW_CONNECT,	 /* it called connect() */
	HOW_LISTEN,	 /* it called listen() on that port */
	HOW_SCAN,   /* found among the open files when the daemon started */
	HOW_CLOSE,  /* it closed the socket, or ended it by exiting */
	HOW_ACCEPT, /* it accepted it, and may have passed it on */
};

enum rec_task_flags {
	TASK_EXITING = 1 << 0,	 /* PF_EXITING: exit_code is valid */
	TASK_IO_WORKER = 1 << 1, /* io_uring worker thread */
	TASK_COMPAT = 1 << 2,	 /* 32-bit system call table */
	TASK_NR = 1 << 3,	 /* nr is valid */
};

enum rec_sock_flags {
	SOCKF_OWNED = 1 << 0,	   /* sk_lock.owned: a task holds the socket */
	SOCKF_HAS_SOCKET = 1 << 1, /* sk_socket set: a file refers to it */
	SOCKF_DEAD = 1 << 2,	   /* SOCK_DEAD: orphaned */
	SOCKF_LINGER0 = 1 << 3,	   /* SO_LINGER on, time 0 */
	SOCKF_KEEPOPEN = 1 << 4,   /* SO_KEEPALIVE */
	SOCKF_DONE = 1 << 5,	   /* SOCK_DONE: the peer's FIN was processed */
	SOCKF_LISTENER = 1 << 6,   /* the socket itself is in LISTEN */
	SOCKF_TIMEWAIT = 1 << 7,   /* a TIME_WAIT mini socket */
	SOCKF_MPTCP = 1 << 8,	   /* an MPTCP subflow */
	SOCKF_MAYBE_FALSE =
		1 << 9,	       /* kernel.md finding 2: data after our close */
	SOCKF_AGAIN = 1 << 10, /* this connection had failed before: amends */
	SOCKF_NO_RECORD = 1 << 11, /* the connection table did not hold it */
	SOCKF_GOODBYE = 1 << 12, /* our last write was a protocol's farewell */
	SOCKF_SEEDED = 1 << 13,	 /* older than the daemon */
};

/* What the first bytes of one direction look like; the bytes are not kept. */
enum rec_label {
	LABEL_NONE,
	LABEL_OTHER,
	LABEL_TLS,
	LABEL_HTTP_REQUEST,
	LABEL_HTTP_ANSWER,
	LABEL_HTTP2,
	LABEL_PROXY,
	LABEL_MYSQL,
	LABEL_POSTGRES,
	LABEL_MONGO,
	LABEL_REDIS,
	LABEL_SSH,
	LABEL_AMQP,
	LABEL_SMTP,
	LABEL_SOCKS,
	LABEL_MQTT,
	LABELS,
};

enum rec_tls_seen {
	TLS_HELLO_OUT = 1 << 0, /* handshake record sent first */
	TLS_HELLO_IN = 1 << 1,
	TLS_MOVED_OUT = 1 << 2, /* ChangeCipherSpec or application data sent */
	TLS_MOVED_IN = 1 << 3,
	TLS_ALERT_OUT = 1 << 4,
	TLS_ALERT_IN = 1 << 5,
	TLS_ANSWERED = 1 << 6, /* more than an alert came after MOVED_OUT */
};

/*
 * What a server said with its last words or instead of a first answer, where
 * its protocol has a code for it; the words are not kept.
 */
enum rec_notice {
	NOTICE_NONE,
	NOTICE_IDLE,	 /* idle too long: PostgreSQL 57P05, MySQL 4031 */
	NOTICE_SHUTDOWN, /* it stops: PostgreSQL 57P01..03, MySQL 1053 */
	NOTICE_LIMIT,	 /* too many: PostgreSQL 53300, MySQL 1040, Redis */
	NOTICE_KILLED,	 /* an administrator: MySQL 1927, 1317 */
	NOTICE_ERROR,	 /* any other error of the protocol */
	NOTICES,
};

struct rec_head {
	__u16 kind; /* enum rec_kind */
	__u16 size; /* of the whole record, bytes */
	__u32 cpu;
	__u64 time_ns;
	__u64 failure; /* unique per boot of the probes; joins records */
};

struct rec_task {
	__u32 tgid;
	__u32 tid;
	__u64 start_ns; /* task group leader's start, CLOCK_BOOTTIME */
	__u64 cgroup;	/* id in the v2 hierarchy, 0: not known */
	__u32 uid;
	__s32 nr;	 /* system call number, see TASK_NR */
	__u32 exit_code; /* raw: signal in the low 7 bits, status << 8 */
	__u16 flags;	 /* enum rec_task_flags */
	__u8 how;	 /* enum rec_how */
	__u8 pad;
	char comm[REC_COMM];
};

/* One end of a connection that this host closed: what is left of it. */
struct rec_closed {
	struct rec_task task;
	__u64 closed_ns;
	__u64 established_ns;	     /* 0: not known */
	__u32 since_send_jiffies;    /* at the close */
	__u32 since_receive_jiffies; /* at the close */
	__u32 unread; /* bytes received and not read at the close; REC_NEVER */
	__u8 aborted; /* closed with a RST rather than with a FIN */
	__u8 role;
	__u8 pad[2];
	__u32 netns;
	__u32 pad2;
};

struct rec_sock {
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_retrans;
	__u32 unread;  /* rcv_nxt - copied_seq; counts the FIN; REC_NEVER:
			* MPTCP, what was not read waits in another socket */
	__u32 unacked; /* snd_nxt - snd_una */
	__u32 unsent;  /* write_seq - snd_nxt */
	__u32 packets_out;
	__u32 data_segs_out;
	__u32 data_segs_in;
	__u32 srtt_us;		     /* 0: no sample */
	__u32 since_send_jiffies;    /* lsndtime: any transmission of data */
	__u32 since_receive_jiffies; /* icsk_ack.lrcvtime: data */
	__u32 since_ack_jiffies;     /* rcv_tstamp: any ACK */
	__u32 since_busy_jiffies;    /* oldest unacknowledged write */
	__u32 answer_bytes; /* rcv_nxt - snd_wl1: received since the last ACK */
	__u32 user_timeout_ms;
	__u32 keepalive_time_jiffies; /* 0: the sysctl */
	__u32 flags;		      /* enum rec_sock_flags */
	__s32 err;		      /* sk_err */
	__s32 err_soft;
	__s32 linger2;
	__u32 accept_backlog;	 /* listener: sk_ack_backlog */
	__u32 accept_max;	 /* listener: sk_max_ack_backlog */
	__u32 since_first_tx_us; /* first_tx_mstamp; REC_NEVER: not known */
	__u32 total_retrans;
	__u8 retransmits; /* of what is unacknowledged now */
	__u8 probes_out;
	__u8 backoff;
	__u8 shutdown;	      /* sk_shutdown: 1 receive, 2 send */
	__u32 accept_pending; /* listener: handshakes not finished */
};

struct rec_failure {
	struct rec_head head;
	__u32 known; /* enum rec_known */
	__u32 netns; /* inode number */
	__u8 family; /* 4 or 6 */
	__u8 state;  /* TCP_*, before the failure */
	__u8 role;   /* enum rec_role */
	__u8 reason; /* number; names come from BTF */
	__u16 lport;
	__u16 rport;
	__u8 laddr[16];
	__u8 raddr[16];
	__u64 established_ns;
	__u64 peer_fin_ns; /* 0: none seen */
	__u64 voids;	   /* this record shows `voids` to be a false one;
			    * with SOCKF_AGAIN: that failure came first */
	__u32 folded;	   /* alike ones before it that were only counted */
	__u32 flags;	   /* enum rec_sock_flags */
	struct rec_sock sock;
	struct rec_task task;  /* who acted, KNOWN_TASK */
	struct rec_task owner; /* KNOWN_OWNER */
	/* KNOWN_LABELS */
	__u8 first_out; /* enum rec_label */
	__u8 first_in;
	__u8 tls;	   /* enum rec_tls_seen */
	__u8 tls_alert;	   /* description + 1, 0: none seen */
	__u16 http_status; /* of the first answer, 0: none seen */
	__u8 answered;	   /* KNOWN_ASKED: data came after our last write */
	__u8 handshake_ttl;
	__u32 first_out_len;
	__u32 first_in_len;
	/* KNOWN_SKB: the segment that our RST answers */
	__u32 skb_len;	/* payload bytes */
	__u8 skb_flags; /* TCP flags byte */
	__u8 skb_ttl;
	/* KNOWN_PACKET: the RST we received */
	__u8 rst_ttl;
	__u8 rst_flags;
	__u32 rst_window;
	__s32 rst_seq_ahead; /* of rcv_nxt */
	__s32 rst_ack_ahead; /* of snd_una */
	__u32 netfilter_us;  /* KNOWN_NETFILTER: how long before */
	__u8 rst_timestamps; /* KNOWN_RST_OPTIONS: the RST carried them */
	__u8 notice;	     /* enum rec_notice */
	__u8 pad[6];
	/* Pauses of about a second and more: the last one, how long ago it
	 * ended, and the longest that was survived before; 0: none. */
	__u32 gap_jiffies;
	__u32 since_gap_jiffies;
	__u32 worked_jiffies;
	__u32 fin_since_send_jiffies;  /* at the peer's FIN; 0: not known */
	__u32 since_challenge_jiffies; /* our last challenge ACK; 0: none */
	/* KNOWN_PLACE: our connections to that address and port */
	__u32 place_open;      /* now, this one with them */
	__u32 place_made;      /* established, since it was first seen */
	__u32 place_served;    /* closed without failure after data had come */
	__u64 place_served_ns; /* when the last of those was; 0: never */
	/* KNOWN_SOCK: where both directions stand; KNOWN_SKB: the segment's */
	__u32 rcv_nxt;
	__u32 snd_una;
	__u32 skb_seq;
	__u32 skb_ack;
	struct rec_closed closer; /* KNOWN_CLOSER */
	struct rec_closed other;  /* KNOWN_OTHER */
};

struct rec_told {
	struct rec_head head;
	__u64 failed_ns;
	struct rec_task task;
	__s32 ret;    /* of the call: negative errno, or 0 for EOF */
	__u8 sending; /* the send path rather than the receive path */
	__u8 pad[3];
};

struct rec_exit {
	struct rec_head head;
	struct rec_task task;
	__u8 listened; /* it had a listening socket */
	__u8 pad[7];
};

/* Where a task was in its program: the call that was told, or that aborted. */
struct rec_stack {
	struct rec_head head;
	__u32 tgid;
	__u32 depth; /* frames that were found */
	__u64 start_ns;
	__u64 frame[REC_FRAMES]; /* innermost first, by frame pointers */
	__u64 top[REC_TOP]; /* words at the stack pointer that may be addresses
			     * of code, 0 for others: the innermost function
			     * may have made no frame */
};

struct rec_flow {
	__u8 laddr[16];
	__u8 raddr[16];
	__u32 ports; /* lport << 16 | rport */
	__u32 netns;
};

/*
 * RSTs that answered segments of no socket or were sent by netfilter, by
 * source: counted in a map, of which the daemon takes what no record carried.
 */
struct rec_stray_key {
	__u32 netns;
	__u32 rejected; /* by netfilter: those are counted by themselves */
	__u8 raddr[16];
};

struct rec_stray {
	__u64 window_ns;
	__u32 emitted; /* in this window */
	__u32 folded;  /* counted since the last emitted one; the last of them:
			*/
	struct rec_flow flow;
	__u8 family;
	__u8 skb_flags;
	__u8 reason;
	__u8 reason_known;
	__u32 pad;
};

/* Counters, per CPU; rows of a BPF array indexed by enum rec_kind. */
struct rec_count {
	__u64 seen; /* = submitted + dropped + folded */
	__u64 submitted;
	__u64 dropped; /* the ring was full */
	__u64 folded;  /* counted only, by intent (stray segments) */
};

/* Further counters: rows of a second per-CPU array. */
enum rec_tally {
	TALLY_ESTABLISHED_CLIENT,
	TALLY_ESTABLISHED_SERVER,
	TALLY_CONN_FULL,      /* connections that the table could not hold */
	TALLY_RECEIVED,	      /* RSTs that ended one of our sockets, exact */
	TALLY_FALSE_RECEIVED, /* tcp_receive_reset without a RST */
	TALLY_SEEDED,
	TALLY_UNBOUND,	      /* listen() on sockets that had no port yet */
	TALLY_STRAY,	      /* RSTs sent for segments of no socket */
	TALLY_FAMILY_FULL,    /* descendants that the family could not hold */
	TALLY_REJECTED,	      /* RSTs that netfilter sent */
	TALLY_ANSWER_SKIPPED, /* of TALLY_STRAY: no kprobe saw the answer */
	/* RSTs that came and ended nothing, as the kernel dropped them: */
	TALLY_IGNORED_SEQUENCE,	  /* out of the window */
	TALLY_IGNORED_CHALLENGED, /* a challenge ACK answered it, or it met a
				   * listener */
	TALLY_IGNORED_NO_SOCKET,
	TALLY_SENT_FIRST, /* + reason number: RSTs sent, exact */
	TALLY_SENT_LAST = TALLY_SENT_FIRST + 39,
	TALLIES,
};

#define REC_ASSERT(type, bytes)                                                \
	_Static_assert(sizeof(struct type) == (bytes), #type " changed size")
REC_ASSERT(rec_head, 24);
REC_ASSERT(rec_task, 56);
REC_ASSERT(rec_closed, 96);
REC_ASSERT(rec_sock, 128);
REC_ASSERT(rec_failure, 640);
REC_ASSERT(rec_told, 96);
REC_ASSERT(rec_exit, 88);
REC_ASSERT(rec_stack, 680);
REC_ASSERT(rec_flow, 40);
REC_ASSERT(rec_stray_key, 24);
REC_ASSERT(rec_stray, 64);

#endif
