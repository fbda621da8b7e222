/*
 * The floor of the benchmark: what this machine spends on sending every packet to every viewer, and on nothing else.
 * A relay without WebRTC: it receives the publisher's packets on one socket and sends them to everybody who said hello.
 *
 *   floor sendmmsg|gso|gso-aes    prints its port; runs until it is killed
 *
 * gso sends waiting packets of equal length as one (UDP_SEGMENT), as a server may; gso-aes first encrypts each packet
 * for each viewer with AES-128-GCM. Datagrams: 'H' is a hello, everything else is a packet.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 40, PACKET = 1500, VIEWERS = 1024, HEADER = 12, CLEAR = 48, TAG = 16, IV = 12, BUFFER = 8 << 20 };

static struct sockaddr_in viewers[VIEWERS];
static EVP_CIPHER_CTX *ciphers[VIEWERS];
static int viewer_count;
static unsigned char packets[BATCH][PACKET];
static unsigned char sealed[BATCH * PACKET];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void add_viewer(const struct sockaddr_in *address, int with_aes) {
  for (int i = 0; i < viewer_count; i++)
    if (viewers[i].sin_port == address->sin_port) return;
  if (viewer_count == VIEWERS) return;
  if (with_aes) {
    unsigned char key[16];
    memset(key, viewer_count, sizeof key);
    ciphers[viewer_count] = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(ciphers[viewer_count], EVP_aes_128_gcm(), NULL, key, NULL);
  }
  viewers[viewer_count++] = *address;
}

/* The first bytes of a picture's packets stay readable for the load generator, and are authenticated. Returns the length with the tag. */
static int seal(EVP_CIPHER_CTX *cipher, unsigned sequence, const unsigned char *packet, int length, unsigned char *out) {
  unsigned char iv[IV] = {0};
  int clear = length < CLEAR ? HEADER : CLEAR;
  int written, last;
  memcpy(iv, &sequence, sizeof sequence);
  memcpy(out, packet, clear);
  EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv);
  EVP_EncryptUpdate(cipher, NULL, &written, packet, clear);
  EVP_EncryptUpdate(cipher, out + clear, &written, packet + clear, length - clear);
  EVP_EncryptFinal_ex(cipher, out + clear + written, &last);
  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, out + length);
  return length + TAG;
}

static void send_each(int fd, int viewer, struct mmsghdr *received, int count) {
  struct mmsghdr out[BATCH];
  struct iovec parts[BATCH];
  memset(out, 0, sizeof out);
  for (int i = 0; i < count; i++) {
    parts[i].iov_base = packets[i];
    parts[i].iov_len = received[i].msg_len;
    out[i].msg_hdr.msg_name = &viewers[viewer];
    out[i].msg_hdr.msg_namelen = sizeof viewers[viewer];
    out[i].msg_hdr.msg_iov = &parts[i];
    out[i].msg_hdr.msg_iovlen = 1;
  }
  for (int sent = 0; sent < count;) {
    int n = sendmmsg(fd, out + sent, count - sent, 0);
    if (n <= 0) fail("sendmmsg");
    sent += n;
  }
}

static void send_segments(int fd, int viewer, struct iovec *parts, int count, int segment) {
  char control[CMSG_SPACE(sizeof(unsigned short))];
  struct msghdr message = {&viewers[viewer], sizeof viewers[viewer], parts, count, control, sizeof control, 0};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(unsigned short));
  *(unsigned short *)CMSG_DATA(header) = segment;
  if (sendmsg(fd, &message, 0) < 0) fail("sendmsg with UDP_SEGMENT");
}

/* Runs of equal length are sent as one; a shorter packet may end a run. */
static void send_runs(int fd, int viewer, struct mmsghdr *received, int count, int with_aes) {
  static unsigned sequence;
  struct iovec parts[BATCH];
  unsigned char *out = sealed;
  for (int start = 0; start < count;) {
    int segment = received[start].msg_len + (with_aes ? TAG : 0);
    int end = start;
    while (end < count && received[end].msg_len == received[start].msg_len && (end - start + 1) * segment < 65000) {
      parts[end - start].iov_base = packets[end];
      parts[end - start].iov_len = segment;
      if (with_aes) {
        parts[end - start].iov_base = out;
        out += seal(ciphers[viewer], sequence++, packets[end], received[end].msg_len, out);
      }
      end++;
    }
    send_segments(fd, viewer, parts, end - start, segment);
    start = end;
  }
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  int with_aes = !strcmp(mode, "gso-aes");
  int with_gso = with_aes || !strcmp(mode, "gso");
  if (!with_gso && strcmp(mode, "sendmmsg")) {
    fprintf(stderr, "usage: floor sendmmsg|gso|gso-aes\n");
    return 2;
  }
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t own_length = sizeof own;
  int size = BUFFER;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
  if (getsockname(fd, (struct sockaddr *)&own, &own_length) < 0) fail("getsockname");
  printf("udp://127.0.0.1:%d\n", ntohs(own.sin_port));
  fflush(stdout);

  struct mmsghdr received[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_in senders[BATCH];
  for (;;) {
    memset(received, 0, sizeof received);
    for (int i = 0; i < BATCH; i++) {
      parts[i].iov_base = packets[i];
      parts[i].iov_len = PACKET - TAG;
      received[i].msg_hdr.msg_name = &senders[i];
      received[i].msg_hdr.msg_namelen = sizeof senders[i];
      received[i].msg_hdr.msg_iov = &parts[i];
      received[i].msg_hdr.msg_iovlen = 1;
    }
    int count = recvmmsg(fd, received, BATCH, MSG_WAITFORONE, NULL);
    if (count < 0) fail("recvmmsg");
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (packets[i][0] == 'H') add_viewer(&senders[i], with_aes);
      if (received[i].msg_len < HEADER) continue;
      if (kept != i) memcpy(packets[kept], packets[i], received[i].msg_len);
      received[kept++].msg_len = received[i].msg_len;
    }
    count = kept;
    for (int viewer = 0; viewer < viewer_count; viewer++)
      if (with_gso) send_runs(fd, viewer, received, count, with_aes);
      else send_each(fd, viewer, received, count);
  }
}
