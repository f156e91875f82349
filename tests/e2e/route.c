// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/route.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

struct route route_new(int family)
{
	struct route r = {.router = netns_new(), .server = netns_new()};
	const char *ip = family == AF_INET6 ? "ip -6" : "ip";

	netns_link(netns_home(), "a", host_address(family, HOST_A), r.router,
		   "b", host_address(family, HOST_B));
	netns_link(r.router, "c", host_address(family, HOST_C), r.server, "d",
		   host_address(family, HOST_D));
	must_in(netns_home(), "%s route add default via %s", ip,
		host_address(family, HOST_B));
	must_in(r.server, "%s route add default via %s", ip,
		host_address(family, HOST_C));
	must_in(r.router,
		family == AF_INET6
			? "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
			: "echo 1 >/proc/sys/net/ipv4/ip_forward");
	return r;
}

struct far_pair far_pair_new(int family)
{
	struct far_pair p = {.route = route_new(family)};

	p.server = actor_new_in(p.route.server, "e2e-server", 0);
	p.client = actor_new("e2e-client", 0);
	p.listener = act(p.server, do_listen, family, 8);
	p.port = act(p.server, do_port, p.listener);
	p.c = act(p.client, do_connect, family, HOST_D, p.port);
	assert_true(p.c >= 0);
	p.s = act(p.server, do_accept, p.listener);
	assert_true(p.s >= 0);
	return p;
}

void nft(int netns, const char *chain, const char *rule)
{
	if (shell_in(netns, "nft add table inet e2e 2>/dev/null"))
		harness_skip("nft: this kernel or machine has no nf_tables");
	must_in(netns,
		"nft 'add chain inet e2e %s { type filter hook %s priority 0; "
		"}'",
		chain, chain);
	must_in(netns, "nft 'add rule inet e2e %s %s'", chain, rule);
}

json_t *doctor(const struct world *w)
{
	const char *const argv[] = {
		program_path("rstscope"), "doctor", "--json", "--store",
		daemon_store(w->daemon),  NULL};
	char *out = NULL;
	json_t *all;

	run_program(argv, harness_ms(10000), &out, NULL);
	all = json_loads(out ? out : "", 0, NULL);
	if (!all)
		harness_die("doctor prints no JSON");
	free(out);
	return all;
}

bool probe_is_up(const struct world *w, const char *hook)
{
	json_t *all = doctor(w), *one;
	const json_t *probes =
		json_object_get(json_object_get(all, "daemon"), "probes");
	bool up = false;
	size_t i;

	json_array_foreach(probes, i, one)
	{
		if (!strcmp(json_string_value(json_object_get(one, "hook")),
			    hook))
			up = json_is_true(json_object_get(one, "up"));
	}
	json_decref(all);
	return up;
}

void expect_reject_sent(struct world *w)
{
	if (probe_is_up(w, "nf_send_reset"))
		expect(w, .kind = "sent", .class = NULL,
		       .cause = "firewall_reject", .any_other = true);
}

/* --- forging ---------------------------------------------------------------
 */

long do_receive_next(long fd, long b, long c, long d)
{
	int on = 1, queue = TCP_RECV_QUEUE, off = 0;
	unsigned int seq;
	socklen_t size = sizeof(seq);

	UNUSED(b, c, d);
	if (setsockopt((int)fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    setsockopt((int)fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
		       sizeof(queue)) ||
	    getsockopt((int)fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &size))
		return -errno;
	off = -1; /* TCP_REPAIR_OFF_NO_WP: no window probe */
	if (setsockopt((int)fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)))
		return -errno;
	return seq;
}

struct forged {
	struct iphdr ip;
	struct tcphdr tcp;
};

/* With the pseudo header's fields added in. */
static uint16_t checksum(const struct forged *f)
{
	const uint16_t *words = (const uint16_t *)&f->tcp;
	uint32_t sum = htons(IPPROTO_TCP) + htons(sizeof(f->tcp));

	for (size_t i = 0; i < sizeof(f->tcp) / 2; i++)
		sum += words[i];
	sum += (f->ip.saddr & 0xffff) + (f->ip.saddr >> 16);
	sum += (f->ip.daddr & 0xffff) + (f->ip.daddr >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

long do_forge_rst(long ports, long seq, long ack, long ttl)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct forged f = {
		.ip = {.ihl = 5,
		       .version = 4,
		       .ttl = (uint8_t)ttl,
		       .protocol = IPPROTO_TCP,
		       .tot_len = htons(sizeof(f))},
		.tcp = {.source = htons((uint16_t)(ports >> 16)),
			.dest = htons((uint16_t)ports),
			.seq = htonl((uint32_t)seq),
			.doff = 5,
			.rst = 1},
	};
	long ret;
	int fd;

	inet_pton(AF_INET, host_address(AF_INET, HOST_D), &f.ip.saddr);
	inet_pton(AF_INET, host_address(AF_INET, HOST_A), &f.ip.daddr);
	to.sin_addr.s_addr = f.ip.daddr;
	if (ack >= 0) {
		f.tcp.ack = 1;
		f.tcp.ack_seq = htonl((uint32_t)ack);
	}
	f.tcp.check = checksum(&f);
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	ret = error_or(sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to,
			      sizeof(to)));
	close(fd);
	return ret;
}
