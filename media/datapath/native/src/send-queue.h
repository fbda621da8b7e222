// Outgoing datagrams of one socket: collected, then handed over together. Consecutive ones to the same peer with the
// same size become one message that the kernel splits (UDP_SEGMENT).
#pragma once
#include <memory>
#include <vector>

#include "outlet.h"

namespace rushlight {

class SendQueue final : public Outlet {
 public:
  explicit SendQueue(int fd) : fd_(fd) {}

  uint8_t* reserve(size_t bytes, Counters& counters) override;
  void commit(const Endpoint& to, size_t bytes, Counters& counters) override;
  bool flush(Counters& counters) override;
  bool blocked() const override { return blocked_; }
  void hold() override { blocked_ = true; }
  bool empty() const override { return messages_.empty(); }

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
