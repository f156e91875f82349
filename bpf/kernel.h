/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's types, as far as they are read: names and nothing of the
 * layout, which CO-RE takes from the running kernel's BTF. Differences between
 * kernels live in compat.h.
 */
#ifndef RSTSCOPE_KERNEL_H
#define RSTSCOPE_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>

#define __VMLINUX_H__ /* bpf_tracing.h: registers by the kernel's names */

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;

typedef _Bool bool;
#define true 1
#define false 0

#ifndef NULL
#define NULL ((void *)0)
#endif

#define AF_INET	      2
#define AF_INET6      10
#define IPPROTO_TCP   6
#define IPPROTO_MPTCP 262
#define PF_EXITING    0x00000004
#define PF_IO_WORKER  0x00000010
#define PF_KTHREAD    0x00200000
#define MSG_PEEK      2
#define EPIPE	      32
#define ECONNABORTED  103
#define ECONNRESET    104
#define ETIMEDOUT     110
#define ECONNREFUSED  111
#define EAGAIN	      11
#define EINTR	      4
#define ERESTARTSYS   512
#define S_IFMT	      0170000
#define S_IFSOCK      0140000
#define RTN_LOCAL     2		 /* enum in linux/rtnetlink.h */
#define RTF_LOCAL     0x80000000 /* linux/ipv6_route.h */

enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

/* enum sock_flags: stable since 2.6 */
#define SOCK_DEAD     0
#define SOCK_DONE     1
#define SOCK_KEEPOPEN 3
#define SOCK_LINGER   4

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
};

typedef struct {
	int owned;
} socket_lock_t;

struct inode {
	unsigned short i_mode;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct sk_buff;

struct sock_extended_err {
	__u32 ee_errno;
};

struct sock_exterr_skb {
	struct sock_extended_err ee;
};

struct sk_buff_head {
	struct sk_buff *prev;
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct sk_buff_head sk_error_queue;
	int sk_err;
	int sk_err_soft;
	struct socket *sk_socket;
	unsigned long sk_lingertime;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	u16 sk_protocol;
	u8 sk_shutdown;
};

struct inet_sock {
	struct sock sk;
	__be32 inet_saddr;
	__be16 inet_sport;
};

typedef struct {
	int counter;
} atomic_t;

struct request_sock_queue {
	atomic_t qlen;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	void *icsk_ulp_data;
	__u8 icsk_retransmits;
	__u8 icsk_backoff;
	__u8 icsk_probes_out;
	u32 icsk_user_timeout;
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct mptcp_sock {
	struct sock *first;
};

struct mptcp_subflow_context {
	struct sock *conn;
};

struct tcp_options_received {
	u16 saw_tstamp : 1;
	u16 tstamp_ok : 1;
};

struct tcp_sock {
	struct tcp_options_received rx_opt;
	struct inet_connection_sock inet_conn;
	u32 copied_seq;
	u32 segs_in;
	u32 snd_wl1;
	u32 data_segs_out;
	u64 bytes_sent;
	u32 chrono_start;
	u32 write_seq;
	u32 lsndtime;
	u64 tcp_mstamp;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 snd_una;
	u32 srtt_us;
	u32 packets_out;
	u32 rcv_tstamp;
	u32 last_oow_ack_time;
	u64 bytes_received;
	u32 data_segs_in;
	u64 first_tx_mstamp;
	u64 bytes_acked;
	u64 bytes_retrans;
	u32 total_retrans;
	unsigned int keepalive_time;
	int linger2;
	bool is_mptcp;
};

struct net_device {
	possible_net_t nd_net;
};

struct dst_entry {
	struct net_device *dev;
};

struct rtable {
	struct dst_entry dst;
	__u16 rt_type;
};

struct rt6_info {
	struct dst_entry dst;
	u32 rt6i_flags;
};

struct sk_buff {
	char cb[48];
	struct sock *sk;
	struct net_device *dev;
	unsigned long _skb_refdst;
	unsigned char *head;
	u16 transport_header;
	u16 network_header;
};

struct tcp_skb_cb {
	__u32 seq;
	__u8 tcp_flags;
};

struct signal_struct {
	atomic_t live;
};

struct mm_struct {
	unsigned long start_code;
	unsigned long end_code;
	unsigned long mmap_base;
};

struct task_struct {
	void *stack;
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	u64 start_boottime;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	char comm[16];
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r8;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
	unsigned long cs;
	unsigned long sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 pstate;
	s32 syscallno;
};

struct user_pt_regs {
	u64 regs[31];
};
#endif

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#endif
