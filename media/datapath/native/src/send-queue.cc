#include "send-queue.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace rushlight {

namespace {

constexpr size_t kArenaBytes = 192 * 1024;
constexpr size_t kMaxMessages = 64;
constexpr size_t kMaxSegments = 48;
constexpr size_t kMaxMessageBytes = 60'000;

struct Control {
  alignas(cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

}  // namespace

uint8_t* SendQueue::reserve(size_t bytes, Counters& counters) {
  if (blocked_ || bytes > kArenaBytes) return nullptr;
  if (arena_ == nullptr) arena_ = std::make_unique_for_overwrite<uint8_t[]>(kArenaBytes);
  if ((used_ + bytes > kArenaBytes || messages_.size() >= kMaxMessages) && !flush(counters)) return nullptr;
  return arena_.get() + used_;
}

void SendQueue::commit(const Endpoint& to, size_t bytes, Counters& counters) {
  counters.datagramsOut++;
  if (!messages_.empty() && joins(messages_.back(), to, bytes)) {
    Message& last = messages_.back();
    last.bytes += bytes;
    last.segments++;
    last.complete = bytes < last.segment;
  } else {
    Message message;
    message.toBytes = to.toSocket(message.to);
    message.peer = to;
    message.offset = used_;
    message.bytes = message.segment = bytes;
    message.segments = 1;
    message.complete = false;
    messages_.push_back(message);
  }
  used_ += bytes;
}

bool SendQueue::joins(const Message& last, const Endpoint& to, size_t bytes) const {
  return segmentation_ && !last.complete && bytes <= last.segment && last.segments < kMaxSegments &&
         last.bytes + bytes <= kMaxMessageBytes && last.peer == to && last.offset + last.bytes == used_;
}

bool SendQueue::flush(Counters& counters) {
  while (first_ < messages_.size()) {
    const int taken = hand(first_, std::min(kMaxMessages, messages_.size() - first_), counters);
    if (taken < 0) {
      blocked_ = true;
      return false;
    }
    first_ += static_cast<size_t>(taken);
  }
  messages_.clear();
  first_ = used_ = 0;
  blocked_ = false;
  return true;
}

int SendQueue::hand(size_t first, size_t count, Counters& counters) {
  mmsghdr headers[kMaxMessages];
  iovec vectors[kMaxMessages];
  Control controls[kMaxMessages];
  for (size_t i = 0; i < count; i++) {
    Message& message = messages_[first + i];
    vectors[i] = {arena_.get() + message.offset, message.bytes};
    msghdr& header = headers[i].msg_hdr;
    header = {};
    header.msg_name = &message.to;
    header.msg_namelen = message.toBytes;
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    if (message.segments == 1) continue;
    header.msg_control = controls[i].bytes;
    header.msg_controllen = sizeof controls[i].bytes;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto segment = static_cast<uint16_t>(message.segment);
    std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
  }
  const int taken = sendmmsg(fd_, headers, static_cast<unsigned>(count), MSG_DONTWAIT);
  if (taken > 0) return taken;
  if (errno == EINTR) return 0;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return -1;
  failed(first, errno, counters);
  return 1;
}

// A message that the system rejects does not block the others.
void SendQueue::failed(size_t at, int error, Counters& counters) {
  const Message& message = messages_[at];
  if (message.segments > 1 && (error == EIO || error == EINVAL || error == EOPNOTSUPP || error == ENOPROTOOPT || error == EMSGSIZE)) {
    // Some devices do not support segmentation.
    if (error != EMSGSIZE) segmentation_ = false;
    sendSingly(message, counters);
    return;
  }
  counters.sendErrors += message.segments;
}

void SendQueue::sendSingly(const Message& message, Counters& counters) {
  for (size_t offset = 0; offset < message.bytes; offset += message.segment) {
    const size_t bytes = std::min(message.segment, message.bytes - offset);
    const auto* to = reinterpret_cast<const sockaddr*>(&message.to);
    if (sendto(fd_, arena_.get() + message.offset + offset, bytes, MSG_DONTWAIT, to, message.toBytes) < 0) counters.sendErrors++;
  }
}

}  // namespace rushlight
