#include "stream-queue.h"

#include <cerrno>

#include "bytes.h"

namespace rushlight {

namespace {

constexpr size_t kLengthBytes = 2;
constexpr size_t kMediaBytes = 64 * 1024;
constexpr size_t kArenaBytes = kMediaBytes + 16 * 1024;

}  // namespace

uint8_t* StreamQueue::reserve(size_t bytes, Counters& counters) {
  return blocked_ ? nullptr : room(bytes, kMediaBytes, counters);
}

uint8_t* StreamQueue::reserveUrgent(size_t bytes, Counters& counters) { return room(bytes, kArenaBytes, counters); }

uint8_t* StreamQueue::room(size_t bytes, size_t limit, Counters& counters) {
  const size_t needed = kLengthBytes + bytes;
  if (bytes > UINT16_MAX || needed > limit) return nullptr;
  if (arena_ == nullptr) arena_ = std::make_unique_for_overwrite<uint8_t[]>(kArenaBytes);
  if (used_ + needed > limit) flush(counters);
  if (used_ + needed > limit && first_ > 0) {
    std::memmove(arena_.get(), arena_.get() + first_, used_ - first_);
    used_ -= first_;
    first_ = 0;
  }
  return used_ + needed > limit ? nullptr : arena_.get() + used_ + kLengthBytes;
}

void StreamQueue::commit(const Endpoint&, size_t bytes, Counters& counters) {
  counters.datagramsOut++;
  write16(arena_.get() + used_, static_cast<uint32_t>(bytes));
  used_ += kLengthBytes + bytes;
}

// A connection that broke says so when it is read.
bool StreamQueue::flush(Counters& counters) {
  blocked_ = false;
  while (first_ < used_) {
    const ssize_t sent = send(fd_, arena_.get() + first_, used_ - first_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      first_ += static_cast<size_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    blocked_ = errno == EAGAIN || errno == EWOULDBLOCK;
    if (blocked_) return false;
    counters.sendErrors++;
    break;
  }
  first_ = used_ = 0;
  return true;
}

}  // namespace rushlight
