// The guard at a kernel backend's interface: what Linux does with a connection that it owns, held to what Prism asks of an owner.
//
// Of the service's address and port nothing comes in or goes out but on connections that are open (HOF-5, BKD-9). On an open one the socket
// may take more from the client than the request, but the client is told of the request only: every acknowledgement that leaves is cut down
// to `limit` (BKD-2, BKD-3), and a segment that the client repeats for that reason is moved up to where the socket is.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_AT ETH_HLEN
#define OFFSET 0x1fff
#define FIN 0x0001
#define CWR 0x0080
#define TIMESTAMPS 0x0101080a
#define SACK 0x01010500
#define NOPS 0x01010101

// Is `a` before `b`, in sequence space?
#define BEFORE(a, b) ((__s32)((a) - (b)) < 0)

// Network byte order in keys and in `settings`, the machine's in everything else.

struct settings {
	__be32 address;
	__be16 port;
	__u16 unused;
};

struct peer {
	__be32 address;
	__be16 port;
	__u16 unused;
};

// What the process says of a connection that is open.
struct flow {
	__u32 limit; // The client's byte with this number is not the request's any more.
	__u32 acknowledged; // The client has acknowledged everything before it.
	__u8 zero_window; // VAR-4: the window is closed here, not at the switch.
	__u8 receiving; // The request is not whole, so that nothing of the response has been sent.
	__u8 unused[6];
	__u64 until; // The lease's end on the monotonic clock, in ns: it holds even when the process does not run.
};

// What the socket has said on it.
struct spoken {
	__u32 taken; // The latest acknowledgement, as the socket had it.
	__u32 echoed; // The latest TSecr; the hand-off's at first, which TCP_REPAIR cannot give to a socket.
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct peer);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct peer);
	__type(value, struct spoken);
} spoken SEC(".maps");

struct segment {
	struct iphdr ip;
	struct tcphdr tcp;
	__u32 tcp_at;
	__u32 payload; // In bytes.
};

// Whether there is a whole TCP header. A later fragment has none, and may come in: what the kernel would answer does not go out.
static __always_inline int read_segment(struct __sk_buff *skb, struct segment *segment)
{
	__u32 header, total;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return 0;
	if (bpf_skb_load_bytes(skb, IP_AT, &segment->ip, sizeof(segment->ip)))
		return 0;
	header = segment->ip.ihl * 4;
	total = bpf_ntohs(segment->ip.tot_len);
	if (segment->ip.protocol != IPPROTO_TCP || segment->ip.frag_off & bpf_htons(OFFSET) || header < sizeof(segment->ip))
		return 0;
	segment->tcp_at = IP_AT + header;
	if (bpf_skb_load_bytes(skb, segment->tcp_at, &segment->tcp, sizeof(segment->tcp)))
		return 0;
	// A super-segment of the kernel's own may be longer than its length field can say.
	if (skb->gso_size)
		total = skb->len - IP_AT;
	header += segment->tcp.doff * 4;
	if (total < header)
		return 0;
	segment->payload = total - header;
	return 1;
}

static __always_inline void set_word(struct __sk_buff *skb, __u32 tcp_at, __u32 at, __be32 old, __be32 new)
{
	bpf_l4_csum_replace(skb, tcp_at + __builtin_offsetof(struct tcphdr, check), old, new, 4);
	bpf_skb_store_bytes(skb, tcp_at + at, &new, 4, 0);
}

static __always_inline void set_half(struct __sk_buff *skb, __u32 tcp_at, __u32 at, __be16 old, __be16 new)
{
	bpf_l4_csum_replace(skb, tcp_at + __builtin_offsetof(struct tcphdr, check), old, new, 2);
	bpf_skb_store_bytes(skb, tcp_at + at, &new, 2, 0);
}

static __always_inline struct flow *open_flow(const struct peer *peer)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, peer);

	return flow && flow->until && bpf_ktime_get_ns() > flow->until ? 0 : flow;
}

SEC("tc")
int prism_guard_in(struct __sk_buff *skb)
{
	__u32 zero = 0, seq, end, taken;
	const struct settings *own = bpf_map_lookup_elem(&settings, &zero);
	struct segment segment;
	struct peer peer = {};
	const struct flow *flow;
	const struct spoken *said;
	__be16 flags, usual;

	if (!own || !read_segment(skb, &segment))
		return TC_ACT_UNSPEC;
	if (segment.ip.daddr != own->address || segment.tcp.dest != own->port)
		return TC_ACT_UNSPEC;
	peer.address = segment.ip.saddr;
	peer.port = segment.tcp.source;
	flow = open_flow(&peer);
	said = bpf_map_lookup_elem(&spoken, &peer);
	if (!flow || !said)
		return TC_ACT_SHOT;
	// The client's FIN waits for the next owner (SWT-7); a switch may have cleared it already. And a socket that was connected in repair mode
	// takes a window of zero for no news, as it had none when it was connected (header prediction), unless the flags are unusual.
	flags = *((__be16 *)&segment.tcp + 6);
	usual = flags & ~bpf_htons(FIN);
	if (!segment.tcp.window)
		usual |= bpf_htons(CWR);
	if (flags != usual)
		set_half(skb, segment.tcp_at, 12, flags, usual);
	// Behind the limit the client does not know what the socket has. Its repetitions would be old there, and what they acknowledge ignored.
	seq = bpf_ntohl(segment.tcp.seq);
	end = seq + segment.payload;
	taken = said->taken;
	if (!BEFORE(seq, flow->limit) && BEFORE(end, taken) && (!segment.tcp.rst || seq == flow->limit))
		set_word(skb, segment.tcp_at, __builtin_offsetof(struct tcphdr, seq), segment.tcp.seq,
			 bpf_htonl(taken - segment.payload));
	return TC_ACT_UNSPEC;
}

// A socket whose process has closed it, or died, is an owner no more.
static __always_inline int is_established(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->state == BPF_TCP_ESTABLISHED;
}

// SACK blocks (RFC 2018) that tell of bytes behind the limit go as a whole. Linux writes them behind the timestamps.
static __always_inline void cut_sack(struct __sk_buff *skb, const struct segment *segment, __u32 at, __u32 limit)
{
	__be32 words[9] = {};
	__u32 length = segment->tcp.doff * 4, option, told = 0;

	if (length < at + 12 || bpf_skb_load_bytes(skb, segment->tcp_at + at, words, 4))
		return;
	option = bpf_ntohl(words[0]) - SACK;
	if (option > 34 || option < 10 || at + 2 + option > length)
		return;
	for (__u32 i = 1; i < 9; i++) {
		if (i * 4 + 2 > option)
			break;
		if (bpf_skb_load_bytes(skb, segment->tcp_at + at + i * 4, &words[i], 4))
			return;
		if (BEFORE(limit, bpf_ntohl(words[i])))
			told = 1;
	}
	if (!told)
		return;
	for (__u32 i = 0; i < 9; i++) {
		if (i * 4 + 2 > option)
			break;
		set_word(skb, segment->tcp_at, at + i * 4, words[i], bpf_htonl(NOPS));
	}
}

SEC("tc")
int prism_guard_out(struct __sk_buff *skb)
{
	__u32 zero = 0, at = sizeof(struct tcphdr), ack;
	const struct settings *own = bpf_map_lookup_elem(&settings, &zero);
	struct segment segment;
	struct peer peer = {};
	const struct flow *flow;
	struct spoken *said;
	__be32 stamps[3];

	if (!own || !read_segment(skb, &segment))
		return TC_ACT_UNSPEC;
	if (segment.ip.saddr != own->address || segment.tcp.source != own->port)
		return TC_ACT_UNSPEC;
	peer.address = segment.ip.daddr;
	peer.port = segment.tcp.dest;
	flow = open_flow(&peer);
	said = bpf_map_lookup_elem(&spoken, &peer);
	// A reset may leave an established socket when somebody destroys it (`ss -K`).
	if (!flow || !said || segment.tcp.rst || !is_established(skb))
		return TC_ACT_SHOT;

	// The probe that ends TCP_REPAIR is one number back. Here it is meant to acknowledge, so it must be one that the client looks at.
	if (flow->receiving && !segment.payload && BEFORE(bpf_ntohl(segment.tcp.seq), flow->acknowledged))
		set_word(skb, segment.tcp_at, __builtin_offsetof(struct tcphdr, seq), segment.tcp.seq, bpf_htonl(flow->acknowledged));
	ack = bpf_ntohl(segment.tcp.ack_seq);
	said->taken = ack;
	if (BEFORE(flow->limit, ack))
		set_word(skb, segment.tcp_at, __builtin_offsetof(struct tcphdr, ack_seq), segment.tcp.ack_seq, bpf_htonl(flow->limit));
	if (flow->zero_window && segment.tcp.window)
		set_half(skb, segment.tcp_at, 14, segment.tcp.window, 0);
	if (segment.tcp.doff >= 8 && !bpf_skb_load_bytes(skb, segment.tcp_at + at, stamps, sizeof(stamps)) &&
	    stamps[0] == bpf_htonl(TIMESTAMPS)) {
		if (stamps[2])
			said->echoed = bpf_ntohl(stamps[2]);
		else
			set_word(skb, segment.tcp_at, at + 8, 0, bpf_htonl(said->echoed));
		at += 12;
	}
	cut_sack(skb, &segment, at, flow->limit);
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Apache-2.0";
