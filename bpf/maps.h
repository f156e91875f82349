/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs share: maps, settings and the state per connection.
 * Defined in maps.bpf.c, where RSTSCOPE_MAPS is set; declared elsewhere.
 */
#ifndef RSTSCOPE_MAPS_H
#define RSTSCOPE_MAPS_H

#include "bpf/kernel.h"
#include "bpf/event.h"

#ifdef RSTSCOPE_MAPS
#define SHARED
#else
#define SHARED extern
#endif

/* Settings, fixed before the load. */
SHARED const volatile __u32
	set_separate_netns; /* a netns is a host of its own */
/* This kernel's numbers of enum skb_drop_reason; 0: it has none of that name */
SHARED const volatile __u32 set_drop_netfilter; /* NETFILTER_DROP */
SHARED const volatile __u32 set_drop_sequence;	/* TCP_INVALID_SEQUENCE */
SHARED const volatile __u32 set_drop_end;	/* TCP_INVALID_END_SEQUENCE */
SHARED const volatile __u32 set_drop_reset;	/* TCP_RESET */
SHARED const volatile __u32 set_drop_no_socket; /* NO_SOCKET */
/* Kprobes show the answers to segments of no socket: they may be skipped. */
SHARED const volatile __u32 set_answers_by_kprobe;

SHARED const volatile __u32
	set_stacks; /* where calls came from; off: nothing is paid for it */

/* Set by the daemon while it drains by timer: records then wake nobody. */
SHARED volatile __u32 daemon_busy;
/* About a second in ticks, once the daemon has measured HZ; 0: not yet. */
SHARED volatile __u32 pause_jiffies;

/* One connection: made at connect() or when a child is established, removed
 * when the socket is destroyed. Kernel.md section 10: a preallocated hash is
 * the cheapest state that healthy connections can be made to pay for. */
struct conn {
	u64 established_ns;
	u64 peer_fin_ns;
	u64 failure; /* id of its failure, 0: none */
	u64 failed_ns;
	struct rec_task owner; /* how == 0: not known */
	u32 asked_seq;	 /* write_seq after a write in the jiffy of a receipt */
	u32 asked_read;	 /* copied_seq at that write */
	u32 goodbye_seq; /* write_seq after a farewell or control message */
	u32 first_out_len;
	u32 first_in_len;
	u16 http_status;
	u8 role;
	u8 flags; /* enum conn_flags */
	u8 first_out;
	u8 first_in;
	u8 tls;
	u8 tls_alert;
	u32 gap_jiffies;    /* the last pause of PAUSE_JIFFIES and more */
	u32 gap_end;	    /* when it ended, jiffies */
	u32 worked_jiffies; /* the longest one before that */
	u32 fin_since_send; /* jiffies from our last write to the peer's FIN */
	u8 notice;	    /* enum rec_notice */
	u8 soft_err;	    /* errno of ICMP that came while connecting */
	u8 asked_tls;	    /* a TLS write too long for a control frame */
	u8 handshake_ttl;   /* of the peer's packets; 0: not known */
};

enum conn_flags {
	CONN_TOLD = 1 << 0,	/* an errno was returned for `failure` */
	CONN_TOLD_EOF = 1 << 1, /* an EOF was */
	CONN_SEEDED = 1 << 2,
	CONN_LATE = 1 << 3,    /* made at its failure */
	CONN_ASKED = 1 << 4,   /* asked_* are valid */
	CONN_GOODBYE = 1 << 5, /* goodbye_seq is that of a farewell */
	CONN_CONTROL = 1 << 6, /* goodbye_seq is that of a control message */
	CONN_PLACED = 1 << 7,  /* counted in places */
};

SHARED struct conns {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536); /* the daemon sets it from memory */
	__type(key, u64);	    /* struct sock * */
	__type(value, struct conn);
} conns SEC(".maps");

SHARED struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

struct listener_key {
	u32 netns;
	u32 port;
};

SHARED struct listeners {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct listener_key);
	__type(value, struct rec_task);
} listeners SEC(".maps");

/* Which processes listen: their death is reported however they end. */
SHARED struct servers {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} servers SEC(".maps");

/*
 * Recently closed flows, direct-mapped by a hash of the tuple: a write costs no
 * lock and no search, an older flow in the same slot is overwritten.
 */
#define CLOSED_SLOTS 32768
struct closed_slot {
	struct rec_flow flow;
	u32 late; /* RSTs sent for it since */
	u32 pad;
	struct rec_closed closed;
};

SHARED struct closed {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLOSED_SLOTS);
	__type(key, u32);
	__type(value, struct closed_slot);
} closed SEC(".maps");

/* What became of this host's connections to one address and port. */
struct place_key {
	u8 raddr[16];
	u32 netns;
	u32 port;
};

/*
 * Direct-mapped by a hash of the key, like the closed flows: each connection of
 * ours pays for it twice. Another place in the same slot takes it over.
 */
#define PLACE_SLOTS 4096
struct place {
	struct place_key key;
	u64 served_ns;
	u32 open;
	u32 made;
	u32 served;
	u32 pad;
};

SHARED struct places {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACE_SLOTS);
	__type(key, u32);
	__type(value, struct place);
} places SEC(".maps");

/* Segments that netfilter dropped or rejected, direct-mapped likewise. */
#define DROPPED_SLOTS 1024
struct dropped_slot {
	u64 hash;
	u64 time_ns;
	u32 netns;    /* in which it was dropped; 0: not known */
	u32 rejected; /* seen to be; else it may have been dropped only */
};

SHARED struct dropped {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DROPPED_SLOTS);
	__type(key, u32);
	__type(value, struct dropped_slot);
} dropped SEC(".maps");

/* Calls between entry and return, by thread, where kprobes serve them. */
struct call {
	u64 sk;
	u64 flags;
};

SHARED struct calls {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct call);
} calls SEC(".maps");

SHARED struct strays {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rec_stray_key);
	__type(value, struct rec_stray);
} strays SEC(".maps");

/*
 * Where connect() was called from, direct-mapped by the socket; of one slot
 * where stacks are off.
 */
#define CONNECT_STACK_BITS 12
struct connect_stack {
	u64 sk;
	struct rec_stack stack;
};

SHARED struct connect_stacks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct connect_stack);
} connect_stacks SEC(".maps");

SHARED struct counts {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REC_KINDS);
	__type(key, u32);
	__type(value, struct rec_count);
} counts SEC(".maps");

SHARED struct tallies {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TALLIES);
	__type(key, u32);
	__type(value, u64);
} tallies SEC(".maps");

/* The descendants of the observer itself, for `rstscope run`: by tgid. */
SHARED volatile __u32 observer_pid;
SHARED struct family {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, u32);
	__type(value, u8);
} family SEC(".maps");

enum packet_from {
	PACKET_HANDSHAKE = 1, /* the TTL alone */
	PACKET_RESET,	      /* tcp_reset() was called with it */
	PACKET_PROBED, /* a RST that was looked at, in ESTABLISHED only */
};

struct packet {
	u64 sk;
	u32 seq;
	u32 ack;
	u16 window;
	u8 flags;
	u8 ttl;
	u8 from; /* enum packet_from */
	u8 pad[3];
};

/* A call of a hook that the first of its two programs has run for: stub.h. */
#define RAN_SLOTS 4
struct ran {
	volatile u64 sk;
	volatile u64 skb;
	volatile u64 hook; /* enum ran_hook; 0: free */
	volatile u64 time_ns;
};

enum ran_hook {
	RAN_TAKEN = 1,
	RAN_RECEIVE_RESET,
	RAN_SEND_RESET,
};

/* What one hook leaves for the next on the same CPU. */
struct percpu {
	u64 reset_sk;	   /* the socket of the last received reset */
	u64 reset_failure; /* and its failure id, for voids */
	struct ran ran[RAN_SLOTS];
	u8 serial; /* in failure ids */
	u8 pad[3];
	u32 stray_emitted;
	u32 stacks; /* in stack_window_ns */
	u32 pad2;
	u64 stray_window_ns;
	u64 stack_window_ns;
	u64 stack_sk;
	u64 answered_skb; /* of no socket: a kprobe saw the answer to it */
	struct packet packet;
};

SHARED struct percpus {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct percpu);
} percpus SEC(".maps");

static __always_inline struct percpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&percpus, &zero);
}

#endif
