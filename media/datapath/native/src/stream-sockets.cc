#include "stream-sockets.h"

#include <netinet/tcp.h>

#include <cerrno>

namespace rushlight {

namespace {

constexpr size_t kLongestDatagram = 9216;
constexpr int kBacklog = 64;
// Beyond the sessions that a hub has, so that reconnections find room.
constexpr size_t kMostStreams = 512;
constexpr size_t kMostUnproven = 128;
// Of one address; for IPv6 of one network, because a machine has as many addresses as it likes there.
constexpr size_t kMostUnprovenOfOne = 16;
// The first check follows the handshake at once.
constexpr double kProofMs = 5000;
// Peers check every few seconds whether they may still send (RFC 7675).
constexpr double kSilenceMs = 30'000;
// Data that waits in the kernel is picture that lags.
constexpr int kUnsentBytes = 64 * 1024;

bool sameNetwork(const Endpoint& a, const Endpoint& b) {
  return a.family == b.family && std::memcmp(a.address.data(), b.address.data(), a.family == AF_INET6 ? 8 : 4) == 0;
}

}  // namespace

int openTcpListener(Endpoint& local) {
  const int fd = socket(local.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (local.family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address;
  socklen_t bytes = local.toSocket(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), bytes) != 0 || listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return -error;
  }
  bytes = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) == 0) local = Endpoint::fromSocket(address);
  return fd;
}

Stream::Stream(Handle handle, int fd, const Endpoint& local, const Endpoint& from, double nowMs)
    : socket(handle, fd, local, SocketUse::Stream), peer(from), framer(kLongestDatagram), acceptedMs(nowMs), heardMs(nowMs) {}

StreamSockets::Outcome StreamSockets::accept(const MediaSocket& listener, double nowMs, Stream*& taken) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  const int fd = accept4(listener.fd, reinterpret_cast<sockaddr*>(&address), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    const bool full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (full) return Outcome::NoDescriptors;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::NoneWaits : Outcome::TurnedAway;
  }
  const Endpoint peer = Endpoint::fromSocket(address);
  if (!mayTake(peer)) {
    ::close(fd);
    return Outcome::TurnedAway;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
  const Handle handle = nextHandle();
  taken = &streams_.insert(handle, std::make_unique<Stream>(handle, fd, listener.local, peer, nowMs));
  return Outcome::Taken;
}

bool StreamSockets::mayTake(const Endpoint& peer) const {
  size_t all = 0;
  size_t unproven = 0;
  size_t ofOne = 0;
  streams_.each([&](const Stream& stream) {
    all++;
    if (stream.proven()) return;
    unproven++;
    if (sameNetwork(stream.peer, peer)) ofOne++;
  });
  return all < kMostStreams && unproven < kMostUnproven && ofOne < kMostUnprovenOfOne;
}

Handle StreamSockets::nextHandle() {
  uint32_t index = indices_;
  if (free_.empty()) indices_++;
  else {
    index = free_.back();
    free_.pop_back();
  }
  generation_ = generation_ % 0xffff + 1;
  return generation_ << Table<Stream>::kIndexBits | index;
}

std::unique_ptr<Stream> StreamSockets::take(Handle handle) {
  auto stream = streams_.take(handle);
  if (stream != nullptr) free_.push_back(Table<Stream>::indexOf(handle));
  return stream;
}

std::vector<Handle> StreamSockets::overdue(double nowMs) const {
  std::vector<Handle> handles;
  streams_.each([&](Stream& stream) {
    const bool ended = stream.wasProven && !stream.proven();
    stream.wasProven = stream.proven();
    const bool late = !stream.proven() && nowMs - stream.acceptedMs > kProofMs;
    if (ended || late || nowMs - stream.heardMs > kSilenceMs) handles.push_back(stream.socket.handle);
  });
  return handles;
}

}  // namespace rushlight
