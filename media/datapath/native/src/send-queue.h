// Outgoing datagrams of one socket: collected, then handed over together. Consecutive ones to the same peer with the
// same size become one message that the kernel splits (UDP_SEGMENT).
#pragma once
#include <memory>
#include <vector>

#include "context.h"
#include "endpoint.h"

namespace rushlight {

class SendQueue {
 public:
  explicit SendQueue(int fd) : fd_(fd) {}

  // Room for a datagram of at most `bytes`, to be filled and committed at once. Null while the socket is full.
  uint8_t* reserve(size_t bytes, Counters& counters);
  void commit(const Endpoint& to, size_t bytes, Counters& counters);
  // Sends everything; false if the socket is full: the rest follows once it is writable again.
  bool flush(Counters& counters);
  bool blocked() const { return blocked_; }
  bool empty() const { return messages_.empty(); }

 private:
  struct Message {
    sockaddr_storage to;
    socklen_t toBytes;
    Endpoint peer;
    size_t offset;
    size_t bytes;
    // Size of each datagram in it but the last, which may be shorter.
    size_t segment;
    size_t segments;
    bool complete;
  };
  bool joins(const Message& last, const Endpoint& to, size_t bytes) const;
  // Number of messages sent; -1 if the socket is full.
  int hand(size_t first, size_t count, Counters& counters);
  void sendSingly(const Message& message, Counters& counters);
  void failed(size_t at, int error, Counters& counters);

  int fd_;
  std::unique_ptr<uint8_t[]> arena_;
  size_t used_ = 0;
  std::vector<Message> messages_;
  size_t first_ = 0;
  bool blocked_ = false;
  bool segmentation_ = true;
};

}  // namespace rushlight
