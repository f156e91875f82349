/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of one connection failure, as far as they were observed: what the
 * records of the kernel said, decoded and joined. This is all that the cause
 * engine sees of a failure (besides history), and what golden tests keep.
 *
 * Numbers are int64_t and NOT_KNOWN (-1) where nothing was observed; no other
 * negative value occurs except where a comment says so. Strings are empty
 * where nothing was observed. Three-valued facts are enum tri.
 */
#ifndef RSTSCOPE_FACTS_H
#define RSTSCOPE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

#define NOT_KNOWN (-1)

enum tri { TRI_UNKNOWN = -1, TRI_NO = 0, TRI_YES = 1 };

enum failure_kind {
	KIND_RECEIVED,
	KIND_SENT,
	KIND_REFUSED,
	KIND_HANGUP,
	KIND_TIMEOUT,
	KINDS,
};

/* Order matters nowhere; names are those of event.schema.json. */
enum call_class {
	CALL_READ,
	CALL_WRITE,
	CALL_CONNECT,
	CALL_ACCEPT,
	CALL_CLOSE,
	CALL_EXIT,
	CALL_OTHER,
	CALL_CLASSES,
};

struct endpoint {
	uint8_t ip[16]; /* network order; IPv4 in the first four bytes */
	uint16_t port;	/* host order */
};

/* A process as the kernel described it at the moment it acted. */
struct fact_task {
	int64_t pid; /* thread group id, initial namespace; NOT_KNOWN: none */
	int64_t tid;
	int64_t uid;
	uint64_t start_ns; /* 0: not known */
	uint64_t cgroup;   /* 0: not known */
	char comm[REC_COMM + 1];
	enum rec_how how;
	bool exiting;
	int64_t exit_signal; /* while exiting: the signal, 0: none */
	int64_t exit_status; /* while exiting without signal: the status */
	bool oom_killed;     /* the OOM killer had chosen it */
};

/* A system call: the one told of the failure, or the one that made the RST. */
struct fact_call {
	bool known;
	enum call_class class;
	char name[32];	  /* kernel's name: recvfrom, io_uring_enter ... */
	int64_t errno_nr; /* positive, as the process saw it; NOT_KNOWN: none */
	int64_t delay_us; /* from the RST to the call's return; NOT_KNOWN */
};

/* How one end of the connection was closed on this host. */
struct fact_closed {
	bool known;
	struct fact_task task;
	struct fact_call call; /* errno, delay: never known here */
	bool aborted;	       /* with a RST rather than with a FIN */
	int64_t before_ms;     /* how long before the failure; NOT_KNOWN */
	int64_t age_ms;	       /* of the connection at that close */
	int64_t idle_ms;       /* without data either way at that close */
	int64_t unread_bytes;  /* left unread at that close */
	char did[64];	       /* in words: "closed with SO_LINGER 0" */
	int64_t event;	       /* id of its own event; NOT_KNOWN: has none */
	char cause[32];	       /* the cause of its own event, "" if none */
};

struct facts {
	uint64_t failure; /* joins the records; unique per daemon run */
	int64_t time_us;  /* UNIX time of the RST or of the failure */
	uint64_t mono_ns; /* the same moment on CLOCK_MONOTONIC */
	enum failure_kind kind;
	int64_t count; /* 1 + alike ones that the kernel only counted */

	/* the connection */
	bool tuple_known;
	uint8_t family; /* 4 or 6 */
	int64_t netns;
	struct endpoint local, peer;
	enum rec_role role;
	int state;	       /* TCP_*, before the failure; NOT_KNOWN */
	int64_t age_ms;	       /* since ESTABLISHED */
	int64_t idle_ms;       /* before the last exchange: event.schema.json */
	int64_t since_send_ms; /* since our last transmission of data */
	int64_t since_receive_ms; /* since the peer's last data */
	int64_t since_ack_ms;	  /* since the peer's last ACK of any kind */
	int64_t since_request_ms; /* since the oldest unacknowledged write */
	int64_t sent_bytes, acked_bytes, received_bytes, unread_bytes;
	int64_t unacked_bytes;			  /* sent, not acknowledged */
	int64_t unsent_bytes;			  /* written, not yet sent */
	int64_t sent_segments, received_segments; /* with data */
	int64_t srtt_us;
	int64_t retransmits; /* of what is unacknowledged */
	int64_t total_retransmits;
	int64_t probes_out; /* keepalive or window probes unanswered */
	enum tri peer_fin;
	int64_t peer_fin_before_ms; /* how long before the failure; NOT_KNOWN */
	enum tri answered;	    /* data came after our last write */
	enum tri goodbye;	 /* our last write was a farewell (QUIT ...) */
	enum tri keepalive_on;	 /* SO_KEEPALIVE */
	enum tri linger0;	 /* SO_LINGER {1,0} */
	int64_t user_timeout_ms; /* 0: not set */
	int64_t keepalive_ms;	 /* TCP_KEEPIDLE where set, NOT_KNOWN */
	bool unsolicited;	 /* nothing of ours was under way to the peer */
	int64_t gap_ms;		 /* the last pause of about 1 s and more ... */
	int64_t since_gap_ms; /* ... and how long before the failure it ended */
	int64_t worked_idle_ms;	   /* the longest pause before that: survived */
	int64_t fin_since_send_ms; /* from our last write to the peer's FIN */
	int64_t since_challenge_ms; /* since our last challenge ACK */
	int64_t accept_pending;	    /* listener: handshakes not finished */
	/* our connections to that address and port, this one among them */
	int64_t place_open, place_made;
	int64_t place_served; /* closed without failure after data had come */
	int64_t since_served_ms; /* since the last of those; NOT_KNOWN: never */
	enum rec_notice notice;	 /* what the server said with its last words */
	bool again;		 /* the same connection had failed before */
	bool seeded;		 /* older than the daemon */
	int shutdown;		 /* sk_shutdown; NOT_KNOWN */
	int64_t sock_err;	 /* sk_err at an error report; NOT_KNOWN */
	int64_t sock_err_soft;	 /* sk_err_soft: an ICMP error that was kept */
	uint32_t sock_flags;	 /* enum rec_sock_flags */
	bool sock_known;	 /* a full socket was read */

	/* first bytes, as labels */
	bool labels_known;
	enum rec_label first_out, first_in;
	int64_t first_out_bytes, first_in_bytes;
	unsigned int tls; /* enum rec_tls_seen */
	int tls_alert;	  /* TLS AlertDescription; NOT_KNOWN */
	int http_status;  /* of the first answer; NOT_KNOWN */

	/* the RST, or the segment that provoked ours */
	bool packet_known;
	int64_t rst_ttl, handshake_ttl, rst_window;
	bool rst_seq_ahead_known;
	int64_t rst_seq_ahead; /* signed */
	enum tri rst_ack;
	enum tri rst_ack_fits; /* it acknowledges what we sent, no less */
	enum tri
		rst_timestamps;	 /* the RST carried TCP timestamps, where the
				  * connection uses them: a Linux that aborts
				  * its socket sends them, one that knows no
				  * socket, a REJECT rule or a forger does not */
	enum tri peer_after_rst; /* the peer went on sending after its RST */
	bool skb_known;
	int64_t skb_bytes; /* payload */
	/* sequence numbers, to hold segments of one connection against each
	 * other: where a socket stood, and what a segment without one said */
	uint32_t rcv_nxt, snd_una, skb_seq, skb_ack;
	unsigned int skb_flags; /* TCP flags byte */
	int reason;		/* enum sk_rst_reason; NOT_KNOWN */
	char reason_name[48];	/* without SK_RST_REASON_ */
	int64_t netfilter_us; /* our segment was dropped there that long ago */
	int64_t accept_backlog, accept_max; /* of a listener */
	enum tri listening; /* a socket of this host listens on local.port */

	/* who */
	struct fact_task task;	/* acted on the socket at that moment */
	struct fact_task owner; /* opened it, or listens on its port */
	struct fact_call call;
	struct fact_task told; /* took the error; pid NOT_KNOWN: nobody yet */
	struct fact_closed closer; /* our own end, closed before */
	struct fact_closed other;  /* the other end, on this host */
};

/*
 * idle_ms of event.schema.json from the other facts: how long the connection
 * had carried no data before the last exchange that met the failure.
 */
int64_t facts_idle_ms(const struct facts *f);

/* All facts unknown, kind and failure 0. */
void facts_init(struct facts *f);

#endif
