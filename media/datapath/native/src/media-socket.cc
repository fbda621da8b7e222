#include "media-socket.h"

#include <sys/socket.h>

#include <cerrno>

namespace rushlight {

namespace {

// With the default sizes a quarter of the packets was lost under load. The kernel caps it at net.core.{r,w}mem_max.
constexpr int kBufferBytes = 4 * 1024 * 1024;

}  // namespace

void MediaSocket::openLanes(size_t helpers) {
  while (use == SocketUse::Shared && lanes_.size() < helpers) lanes_.push_back(std::make_unique<SendQueue>(fd));
}

void MediaSocket::flushLane(size_t lane, Counters& counters) {
  if (lane > lanes_.size()) return;
  Outlet& own = queueOf(lane);
  if (!own.empty() && !own.blocked()) own.flush(counters);
}

void MediaSocket::holdForLanes() {
  for (const auto& lane : lanes_) {
    if (lane->blocked()) queue.hold();
  }
}

void MediaSocket::flush(Counters& counters) {
  for (const auto& lane : lanes_) {
    if (!lane->flush(counters)) return;
  }
  queue.flush(counters);
}

int openUdpSocket(Endpoint& local) {
  const int fd = socket(local.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  // One socket for each address: IPv4 has its own.
  if (local.family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address;
  socklen_t bytes = local.toSocket(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), bytes) != 0) {
    const int error = errno;
    ::close(fd);
    return -error;
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kBufferBytes, sizeof kBufferBytes);
  bytes = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) == 0) local = Endpoint::fromSocket(address);
  return fd;
}

}  // namespace rushlight
