/*
 * An HTTP client over lwIP: a TCP/IP stack that is not Linux's, on an address of its own, its frames through a packet socket.
 *
 * Arguments: interface, own address, own MAC, gateway, server, port, file for what is received, then `head:FILE` or `body:FILE` for each
 * request (the bytes to send). Prints `ready`, then one line of JSON: {"ok", "error"?, "closedBy"?}. Its caller bounds its time.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/api.h>
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>

#define LINK_MTU 1500
#define LONGEST_FRAME 2048

static int link_fd = -1;
static unsigned char own_mac[6];

/* Before `ready` it is the environment's failure: exit code 1, and nothing on standard output. */
static void unusable(const char *what) {
  fprintf(stderr, "lwip client: %s: %s\n", what, strerror(errno));
  exit(1);
}

static const char *named(err_t error) {
  static char text[40];
  if (error == ERR_CLSD) return "the connection ended (server-fin) within a response";
  if (error == ERR_RST || error == ERR_ABRT) return "the connection ended (server-rst) within a response";
  snprintf(text, sizeof text, "lwIP's error %d", error);
  return text;
}

static void finish(const char *error, const char *closed_by) {
  if (error)
    printf("{\"ok\":false,\"error\":\"%s\"}\n", error);
  else
    printf("{\"ok\":true,\"closedBy\":\"%s\"}\n", closed_by);
  fflush(stdout);
  _exit(0);
}

static int open_link(const char *name) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) unusable("packet socket");
  int on = 1;
  int room = 4 << 20;
  struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(name), .mr_type = PACKET_MR_PROMISC};
  if (all.mr_ifindex == 0) unusable(name);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) unusable("PACKET_IGNORE_OUTGOING");
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0) unusable("promiscuous mode");
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = lwip_htons(ETH_P_ALL), .sll_ifindex = all.mr_ifindex};
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) unusable("binding a packet socket");
  return fd;
}

/* lwIP was built to hand out packets in one piece (LWIP_NETIF_TX_SINGLE_PBUF), but for replies to what it received. */
static err_t transmit(struct netif *netif, struct pbuf *packet) {
  (void)netif;
  unsigned char frame[LONGEST_FRAME];
  u16_t length = pbuf_copy_partial(packet, frame, sizeof frame, 0);
  return send(link_fd, frame, length, 0) < 0 ? ERR_IF : ERR_OK;
}

static void *receive(void *argument) {
  struct netif *netif = argument;
  unsigned char frame[LONGEST_FRAME];
  for (;;) {
    ssize_t length = recv(link_fd, frame, sizeof frame, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return NULL;
    /* A promiscuous socket sees the kernel's frames too. */
    if (length < 14 || (memcmp(frame, own_mac, 6) != 0 && (frame[0] & 1) == 0)) continue;
    /* Not PBUF_POOL: Debian's 2.1.3 takes a pool's buffer for larger than it allocates it. */
    struct pbuf *packet = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_RAM);
    if (!packet) continue;
    pbuf_take(packet, frame, (u16_t)length);
    if (netif->input(packet, netif) != ERR_OK) pbuf_free(packet);
  }
}

static err_t attach(struct netif *netif) {
  netif->name[0] = 'p';
  netif->name[1] = 'r';
  netif->output = etharp_output;
  netif->linkoutput = transmit;
  netif->mtu = LINK_MTU;
  netif->hwaddr_len = 6;
  memcpy(netif->hwaddr, own_mac, 6);
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  return ERR_OK;
}

static void started(void *argument) {
  sys_sem_signal(argument);
}

struct bytes {
  char *at;
  size_t length;
  size_t room;
};

static void append(struct bytes *to, const void *from, size_t length) {
  if (to->length + length + 1 > to->room) {
    to->room = 2 * (to->length + length + 1);
    to->at = realloc(to->at, to->room);
    if (!to->at) unusable("memory");
  }
  memcpy(to->at + to->length, from, length);
  to->length += length;
  to->at[to->length] = 0;
}

static struct bytes read_file(const char *name) {
  struct bytes content = {0};
  char piece[65536];
  FILE *file = fopen(name, "rb");
  if (!file) unusable(name);
  append(&content, "", 0);
  for (size_t count; (count = fread(piece, 1, sizeof piece, file)) > 0;) append(&content, piece, count);
  fclose(file);
  return content;
}

/* Where the response that starts there ends, interim ones skipped; 0 while it is not whole. */
static size_t response_end(const struct bytes *stream, size_t start, int head) {
  for (;;) {
    if (stream->length <= start) return 0;
    const char *from = stream->at + start;
    const char *empty = memmem(from, stream->length - start, "\r\n\r\n", 4);
    if (!empty) return 0;
    int status = 0;
    if (sscanf(from, "HTTP/1.%*1[01] %3d", &status) != 1) finish("not a status line", NULL);
    size_t end = (size_t)(empty + 4 - stream->at);
    if (status < 200) {
      start = end;
      continue;
    }
    if (head || status == 204 || status == 304) return end;
    const char *line = from;
    while (line < empty && strncasecmp(line, "content-length:", 15) != 0) {
      line = memmem(line, (size_t)(empty - line) + 2, "\r\n", 2);
      line = line ? line + 2 : empty;
    }
    if (line >= empty) finish("a response without a length", NULL);
    end += strtoul(line + 15, NULL, 10);
    return end <= stream->length ? end : 0;
  }
}

static void save(const char *name, const struct bytes *received) {
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(received->at, 1, received->length, file) != received->length || fclose(file) != 0) unusable(name);
}

/* Reads once; an error code of lwIP's when there is nothing more to read. */
static err_t read_more(struct netconn *connection, struct bytes *received) {
  struct netbuf *buffer = NULL;
  err_t error = netconn_recv(connection, &buffer);
  if (error != ERR_OK) return error;
  do {
    void *data;
    u16_t length;
    netbuf_data(buffer, &data, &length);
    append(received, data, length);
  } while (netbuf_next(buffer) >= 0);
  netbuf_delete(buffer);
  return ERR_OK;
}

int main(int count, char **words) {
  if (count < 8) {
    fprintf(stderr, "lwip client: too few arguments\n");
    return 1;
  }
  ip4_addr_t own, gateway, mask;
  ip_addr_t server;
  unsigned int mac[6];
  IP4_ADDR(&mask, 255, 255, 255, 0);
  if (!ip4addr_aton(words[2], &own) || !ip4addr_aton(words[4], &gateway) || !ipaddr_aton(words[5], &server) ||
      sscanf(words[3], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 6) {
    fprintf(stderr, "lwip client: unusable addresses\n");
    return 1;
  }
  for (int i = 0; i < 6; i++) own_mac[i] = (unsigned char)mac[i];
  link_fd = open_link(words[1]);
  /* lwIP draws its sequence numbers and ports from rand(). */
  unsigned int seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) unusable("getrandom");
  srand(seed);

  sys_sem_t running;
  if (sys_sem_new(&running, 0) != ERR_OK) unusable("semaphore");
  tcpip_init(started, &running);
  sys_sem_wait(&running);
  static struct netif netif;
  LOCK_TCPIP_CORE();
  int attached = netif_add(&netif, &own, &mask, &gateway, NULL, attach, tcpip_input) != NULL;
  if (attached) {
    netif_set_default(&netif);
    netif_set_up(&netif);
  }
  UNLOCK_TCPIP_CORE();
  pthread_t receiver;
  if (!attached || pthread_create(&receiver, NULL, receive, &netif) != 0) unusable("interface");
  printf("ready\n");
  fflush(stdout);

  struct netconn *connection = netconn_new(NETCONN_TCP);
  if (!connection) finish("lwIP has no connection to give", NULL);
  err_t error = netconn_connect(connection, &server, (u16_t)atoi(words[6]));
  if (error != ERR_OK) finish(error == ERR_RST ? "connection refused" : "connection timed out", NULL);
  struct bytes received = {0};
  append(&received, "", 0);
  size_t start = 0;
  for (int i = 8; i < count; i++) {
    int head = strncmp(words[i], "head:", 5) == 0;
    struct bytes request = read_file(words[i] + 5);
    error = netconn_write(connection, request.at, request.length, NETCONN_COPY);
    size_t end = 0;
    while (error == ERR_OK && (end = response_end(&received, start, head)) == 0) error = read_more(connection, &received);
    free(request.at);
    if (end == 0) {
      save(words[7], &received);
      finish(named(error), NULL);
    }
    start = end;
  }
  save(words[7], &received);
  /* FIN, then the other side's: a stack that goes away in between would leave the server alone with its own. */
  netconn_shutdown(connection, 0, 1);
  while (read_more(connection, &received) == ERR_OK);
  usleep(20000);
  finish(NULL, "client");
}
