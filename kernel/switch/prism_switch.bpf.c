// The data path of a Prism switch at tc ingress: what reference-impl/switch/switch.ts does with a frame, step by step in the same order.
//
// Rules, routes and neighbours come from the agent (kernel/switch/agent.ts). What needs an answer made from nothing (ARP, an unknown
// neighbour) goes up to it; everything else is rewritten and redirected here, super-segments of the kernel's offloads included.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

// Ethernet, and the longest IPv4 and TCP headers.
#define HEADERS (ETH_HLEN + 60 + 60)
#define IP_AT ETH_HLEN
#define FRAGMENT 0x3fff
#define FIN 0x0001

// --- Tables: network byte order throughout ----------------------------------------------------------------------------

struct settings {
	unsigned char mac[ETH_ALEN];
	__u16 unused;
};

// A segment's addresses and ports as it arrives.
struct four_tuple {
	__be32 src, dst;
	__be16 src_port, dst_port;
};

struct to_backend {
	__be32 backend;
	__u32 port;
	unsigned char mac[ETH_ALEN];
	__u8 clear_fin;
	__u8 unused;
};

struct to_client {
	__be32 logical;
	__u32 port; // Where the backend is: whoever takes its address elsewhere is not that backend (SEC-1).
	__u32 zero_window;
};

struct prefix {
	__u32 length;
	__be32 address;
};

struct route {
	__u32 port; // 0: an address of the switch itself, for which nothing is forwarded.
	__be32 next_hop; // 0: the destination.
};

struct neighbour {
	unsigned char mac[ETH_ALEN];
	__u16 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct four_tuple);
	__type(value, struct to_backend);
} to_backend SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct four_tuple);
	__type(value, struct to_client);
} to_client SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct four_tuple);
	__type(value, __u32);
} drains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct prefix);
	__type(value, struct route);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, struct neighbour);
} neighbours SEC(".maps");

// Of frames, as `SwitchCounters` in switch.ts.
enum counter { FRAMES, REWRITTEN, ROUTED, DROPPED, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		(*value)++;
}

static __always_inline int ignore(void)
{
	count(FRAMES);
	return TC_ACT_SHOT;
}

static __always_inline int drop(void)
{
	count(DROPPED);
	return ignore();
}

// The agent's packet sockets lie behind tc; it counts what it gets.
static __always_inline int to_agent(void)
{
	return TC_ACT_OK;
}

static __always_inline int send(struct __sk_buff *skb, __u32 port, __u32 counter)
{
	count(FRAMES);
	count(counter);
	// For tests: where it went.
	skb->cb[0] = port;
	return bpf_redirect(port, 0);
}

// --- What changes (transform.ts) --------------------------------------------------------------------------------------

// The helpers follow RFC 1624, and know a checksum that the kernel left to be completed (CHECKSUM_PARTIAL).

static __always_inline void set_hop(struct __sk_buff *skb, const unsigned char *src, const unsigned char *dst)
{
	bpf_skb_store_bytes(skb, 0, dst, ETH_ALEN, 0);
	bpf_skb_store_bytes(skb, ETH_ALEN, src, ETH_ALEN, 0);
}

static __always_inline void decrement_ttl(struct __sk_buff *skb, const struct iphdr *ip)
{
	// The 16-bit word of TTL and protocol.
	__be16 old = bpf_htons(ip->ttl << 8 | ip->protocol);
	__be16 new = bpf_htons((ip->ttl - 1) << 8 | ip->protocol);
	__u8 ttl = ip->ttl - 1;

	bpf_l3_csum_replace(skb, IP_AT + __builtin_offsetof(struct iphdr, check), old, new, 2);
	bpf_skb_store_bytes(skb, IP_AT + __builtin_offsetof(struct iphdr, ttl), &ttl, 1, 0);
}

static __always_inline void set_address(struct __sk_buff *skb, __u32 at, __u32 tcp_at, __be32 old, __be32 new)
{
	bpf_l4_csum_replace(skb, tcp_at + __builtin_offsetof(struct tcphdr, check), old, new, BPF_F_PSEUDO_HDR | 4);
	bpf_l3_csum_replace(skb, IP_AT + __builtin_offsetof(struct iphdr, check), old, new, 4);
	bpf_skb_store_bytes(skb, IP_AT + at, &new, 4, 0);
}

static __always_inline void set_tcp_word(struct __sk_buff *skb, __u32 tcp_at, __u32 at, __be16 old, __be16 new)
{
	if (old == new)
		return;
	bpf_l4_csum_replace(skb, tcp_at + __builtin_offsetof(struct tcphdr, check), old, new, 2);
	bpf_skb_store_bytes(skb, tcp_at + at, &new, 2, 0);
}

// --- The way through (switch.ts) --------------------------------------------------------------------------------------

static __always_inline int same_mac(const unsigned char *a, const unsigned char *b)
{
	const __u16 *x = (const void *)a, *y = (const void *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline int is_broadcast(const unsigned char *mac)
{
	const __u16 *words = (const void *)mac;

	return (words[0] & words[1] & words[2]) == 0xffff;
}

struct hop {
	__u32 port;
	unsigned char mac[ETH_ALEN];
};

enum found { FOUND, NO_ROUTE, UNKNOWN_NEIGHBOUR };

static __always_inline enum found find_hop(__be32 dst, struct hop *hop)
{
	struct prefix whole = { .length = 32, .address = dst };
	struct route *route = bpf_map_lookup_elem(&routes, &whole);
	struct neighbour *neighbour;
	__be32 next_hop;

	if (!route || !route->port)
		return NO_ROUTE;
	next_hop = route->next_hop ? route->next_hop : dst;
	neighbour = bpf_map_lookup_elem(&neighbours, &next_hop);
	if (!neighbour)
		return UNKNOWN_NEIGHBOUR;
	hop->port = route->port;
	__builtin_memcpy(hop->mac, neighbour->mac, ETH_ALEN);
	return FOUND;
}

static __always_inline __u32 sum_words(const void *words, int count)
{
	__u32 sum = 0;

	for (int i = 0; i < count; i++)
		sum += ((const __be16 *)words)[i];
	return sum;
}

// RFC 791: the sum over a whole header, its checksum included, is 0xffff.
static __always_inline int header_is_sound(struct __sk_buff *skb, const struct iphdr *ip, __u32 length)
{
	__be32 options[10] = {};
	__u32 sum = sum_words(ip, sizeof(*ip) / 2), more = length - sizeof(*ip);

	if (more) {
		if (more > sizeof(options) || bpf_skb_load_bytes(skb, IP_AT + sizeof(*ip), options, more))
			return 0;
		sum += sum_words(options, sizeof(options) / 2);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

// The segment's header, when there is a whole one: `length` is what the IP header leaves for it and its payload.
static __always_inline int has_segment(const struct tcphdr *tcp, __u32 length, const void *end)
{
	return length >= sizeof(*tcp) && (const void *)(tcp + 1) <= end && tcp->doff >= 5 && tcp->doff * 4 <= length;
}

static __always_inline int forward_segment(struct __sk_buff *skb, const struct settings *own, const struct iphdr *ip, __u32 tcp_at,
			   const struct tcphdr *tcp, int *done)
{
	struct four_tuple tuple = { .src = ip->saddr, .dst = ip->daddr, .src_port = tcp->source, .dst_port = tcp->dest };
	struct to_backend *forward = bpf_map_lookup_elem(&to_backend, &tuple);
	struct to_client *back;
	struct hop hop;

	*done = 1;
	if (forward) {
		__be16 flags = *((__be16 *)tcp + 6);

		set_hop(skb, own->mac, forward->mac);
		decrement_ttl(skb, ip);
		set_address(skb, __builtin_offsetof(struct iphdr, daddr), tcp_at, ip->daddr, forward->backend);
		if (forward->clear_fin)
			set_tcp_word(skb, tcp_at, 12, flags, flags & ~bpf_htons(FIN));
		return send(skb, forward->port, REWRITTEN);
	}
	back = bpf_map_lookup_elem(&to_client, &tuple);
	if (back && back->port == skb->ifindex) {
		switch (find_hop(ip->daddr, &hop)) {
		case NO_ROUTE:
			return drop();
		case UNKNOWN_NEIGHBOUR:
			return to_agent();
		case FOUND:
			break;
		}
		set_hop(skb, own->mac, hop.mac);
		decrement_ttl(skb, ip);
		set_address(skb, __builtin_offsetof(struct iphdr, saddr), tcp_at, ip->saddr, back->logical);
		if (back->zero_window)
			set_tcp_word(skb, tcp_at, 14, tcp->window, 0);
		return send(skb, hop.port, REWRITTEN);
	}
	if (bpf_map_lookup_elem(&drains, &tuple))
		return drop();
	*done = 0;
	return 0;
}

SEC("tc")
int prism_switch(struct __sk_buff *skb)
{
	// Headers are copied out first: a store makes every pointer into the packet stale.
	void *data, *end;
	const struct ethhdr *ethernet;
	const struct settings *own;
	const struct iphdr *seen;
	struct iphdr ip;
	__u32 zero = 0, length, header, total;
	struct hop hop;
	int done = 0;

	own = bpf_map_lookup_elem(&settings, &zero);
	length = skb->len < HEADERS ? skb->len : HEADERS;
	if (!own || bpf_skb_pull_data(skb, length))
		return drop();
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ethernet = data;
	if ((const void *)(ethernet + 1) > end)
		return drop();
	if (!same_mac(ethernet->h_dest, own->mac)) {
		if (is_broadcast(ethernet->h_dest) && !skb->vlan_present && ethernet->h_proto == bpf_htons(ETH_P_ARP))
			return to_agent();
		return ignore();
	}
	if (skb->vlan_present)
		return drop();
	if (ethernet->h_proto == bpf_htons(ETH_P_ARP))
		return to_agent();
	if (ethernet->h_proto != bpf_htons(ETH_P_IP))
		return drop();

	seen = (const void *)(ethernet + 1);
	if ((const void *)(seen + 1) > end)
		return drop();
	ip = *seen;
	header = ip.ihl * 4;
	total = bpf_ntohs(ip.tot_len);
	if (ip.version != 4 || header < sizeof(ip) || total < header || skb->len < IP_AT + total)
		return drop();
	if (!header_is_sound(skb, &ip, header) || ip.ttl <= 1)
		return drop();

	if (ip.protocol == IPPROTO_TCP && !(ip.frag_off & bpf_htons(FRAGMENT))) {
		const struct tcphdr *at = (const void *)seen + header;

		if (has_segment(at, total - header, end)) {
			struct tcphdr tcp = *at;
			int verdict = forward_segment(skb, own, &ip, IP_AT + header, &tcp, &done);

			if (done)
				return verdict;
		}
	}
	switch (find_hop(ip.daddr, &hop)) {
	case NO_ROUTE:
		return drop();
	case UNKNOWN_NEIGHBOUR:
		return to_agent();
	case FOUND:
		break;
	}
	set_hop(skb, own->mac, hop.mac);
	decrement_ttl(skb, &ip);
	return send(skb, hop.port, ROUTED);
}

char _license[] SEC("license") = "Apache-2.0";
