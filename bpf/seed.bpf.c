// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets older than the daemon: the open files of all tasks give them their
 * owners once, at the start.
 */
#include "bpf/sock.h"
#include "bpf/task.h"

static __always_inline void seed_task(struct task_struct *task,
				      struct rec_task *out, u8 how)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->tgid = task->tgid;
	out->tid = task->pid;
	out->uid = (u32)-1; /* credentials are not read: not known */
	out->start_ns = task->group_leader->start_boottime;
	out->how = how;
	bpf_probe_read_kernel(out->comm, sizeof(out->comm),
			      &task->group_leader->comm);
}

static __always_inline void seed_listener(struct sock *sk,
					  struct task_struct *task)
{
	struct listener_key key = {
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.port = BPF_CORE_READ(sk, __sk_common.skc_num),
	};
	struct rec_task owner;
	u32 one = 1;

	seed_task(task, &owner, HOW_LISTEN);
	bpf_map_update_elem(&listeners, &key, &owner, BPF_NOEXIST);
	bpf_map_update_elem(&servers, &owner.tgid, &one, BPF_ANY);
}

static __always_inline void seed_conn(struct sock *sk, struct task_struct *task)
{
	u64 key = (u64)sk;
	struct conn conn;

	__builtin_memset(&conn, 0, sizeof(conn));
	seed_task(task, &conn.owner, HOW_SCAN);
	conn.flags = CONN_SEEDED;
	if (!bpf_map_update_elem(&conns, &key, &conn, BPF_NOEXIST))
		tally(TALLY_SEEDED, 1);
}

/*
 * As bpf_sock_from_file(), which is from 5.11. A socket's inode is one of
 * sockfs; another file of that kind (O_PATH) has no private data.
 */
static __always_inline struct sock *file_sock(struct file *file)
{
	u16 mode = BPF_CORE_READ(file, f_inode, i_mode);
	struct socket *socket = BPF_CORE_READ(file, private_data);

	if ((mode & S_IFMT) != S_IFSOCK || !socket)
		return NULL;
	return BPF_CORE_READ(socket, sk);
}

SEC("?iter/task_file")
int seed_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;
	u16 family;
	u8 state;

	if (!task || !file || task->tgid != task->pid)
		return 0;
	sk = file_sock(file);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_LISTEN)
		seed_listener(sk, task);
	else if (state != TCP_CLOSE)
		seed_conn(sk, task);
	return 0;
}
