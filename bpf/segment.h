/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A TCP segment, read from its buffer. SOCK_PROBE_READ: see sock.h. */
#ifndef RSTSCOPE_SEGMENT_H
#define RSTSCOPE_SEGMENT_H

#include "bpf/sock.h"

#define TCP_SYN 0x02
#define TCP_RST 0x04

struct tcp_head {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	u8 doff;
	u8 flags;
	__be16 window;
};

struct ip4_head {
	u8 version_ihl;
	u8 tos;
	__be16 tot_len;
	u32 id_frag;
	u8 ttl;
	u8 protocol;
	u16 check;
	u32 saddr;
	u32 daddr;
};

struct ip6_head {
	u32 version;
	__be16 payload_len;
	u8 nexthdr;
	u8 hop_limit;
	u32 saddr[4];
	u32 daddr[4];
};

struct segment {
	u32 len;
	u32 seq;
	u32 ack;
	u16 window; /* as it stands there, not scaled */
	u8 flags;
	u8 ttl;
	u8 family; /* 0: it could not be read */
	u8 next;   /* what follows the IP header; 0: a later fragment */
	u8 pad[2];
};

#define IP_FRAGMENT_OFFSET 0xff1f /* in the high half of id_frag, swapped */

/*
 * Addresses as the receiver sees them; seg->len is that of the whole packet.
 * The size of the IP header, 0: it could not be read.
 */
static __always_inline u32 ip_parse(const void *at, struct segment *seg,
				    struct rec_flow *f)
{
	struct ip6_head ip;
	struct ip4_head *ip4 = (struct ip4_head *)&ip;

	if (bpf_probe_read_kernel(&ip, sizeof(ip), at))
		return 0;
	if (ip4->version_ihl >> 4 == 4) {
		seg->family = 4;
		*(u32 *)f->laddr = ip4->daddr;
		*(u32 *)f->raddr = ip4->saddr;
		seg->ttl = ip4->ttl;
		if (!(ip4->id_frag >> 16 & IP_FRAGMENT_OFFSET))
			seg->next = ip4->protocol;
		seg->len = bpf_ntohs(ip4->tot_len);
		return (ip4->version_ihl & 15) * 4;
	}
	seg->family = 6;
	copy_ip6(f->laddr, ip.daddr);
	copy_ip6(f->raddr, ip.saddr);
	seg->ttl = ip.hop_limit;
	seg->next = ip.nexthdr;
	seg->len = sizeof(ip) + bpf_ntohs(ip.payload_len);
	return sizeof(ip);
}

/* The TCP header, that many bytes behind the IP header's first. */
static __always_inline void tcp_parse(const void *at, u32 behind,
				      struct segment *seg, struct rec_flow *f)
{
	struct tcp_head tcp;
	u32 headers;

	if (bpf_probe_read_kernel(&tcp, sizeof(tcp), at)) {
		seg->family = 0;
		return;
	}
	f->ports = (u32)bpf_ntohs(tcp.dest) << 16 | bpf_ntohs(tcp.source);
	seg->flags = tcp.flags;
	seg->seq = bpf_ntohl(tcp.seq);
	seg->ack = bpf_ntohl(tcp.ack_seq);
	seg->window = bpf_ntohs(tcp.window);
	headers = behind + (tcp.doff >> 4) * 4;
	seg->len = seg->len > headers ? seg->len - headers : 0;
}

/* The segment's flow as seen by its receiver, and its shape. */
static __always_inline void skb_parse(struct sk_buff *skb, struct segment *seg,
				      struct rec_flow *f)
{
	unsigned char *head = RD(skb->head);
	u16 network = RD(skb->network_header);
	u16 transport = RD(skb->transport_header);

	if (ip_parse(head + network, seg, f))
		tcp_parse(head + transport, transport - network, seg, f);
}

/*
 * The same on a hook of netfilter, where not all know transport_header. IPv6
 * with extension headers is not followed.
 */
static __always_inline void
skb_parse_ip(struct sk_buff *skb, struct segment *seg, struct rec_flow *f)
{
	unsigned char *ip = RD(skb->head) + RD(skb->network_header);
	u32 size = ip_parse(ip, seg, f);

	if (seg->next == IPPROTO_TCP)
		tcp_parse(ip + size, size, seg, f);
	else
		seg->family = 0;
}

/* TTL or hop limit alone; 0: it could not be read. */
static __always_inline u8 skb_ttl(struct sk_buff *skb)
{
	struct ip4_head ip4 = {}; /* both are in its first nine bytes */

	if (bpf_probe_read_kernel(&ip4, 12,
				  RD(skb->head) + RD(skb->network_header)))
		return 0;
	if (ip4.version_ihl >> 4 == 4)
		return ip4.ttl;
	return ((struct ip6_head *)&ip4)->hop_limit;
}

#endif
