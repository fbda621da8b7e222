// Datagrams on their way into one TCP connection, each behind its length (RFC 4571). What a slow peer does not take is bounded, so
// that its picture never lags: media that finds no room is not kept for it.
#pragma once
#include <memory>

#include "outlet.h"

namespace rushlight {

class StreamQueue final : public Outlet {
 public:
  explicit StreamQueue(int fd) : fd_(fd) {}

  uint8_t* reserve(size_t bytes, Counters& counters) override;
  uint8_t* reserveUrgent(size_t bytes, Counters& counters) override;
  void commit(const Endpoint& to, size_t bytes, Counters& counters) override;
  bool flush(Counters& counters) override;
  bool blocked() const override { return blocked_; }
  void hold() override { blocked_ = true; }
  bool empty() const override { return first_ == used_; }

 private:
  uint8_t* room(size_t bytes, size_t limit, Counters& counters);

  int fd_;
  std::unique_ptr<uint8_t[]> arena_;
  // What is still to be sent lies between the two.
  size_t first_ = 0;
  size_t used_ = 0;
  bool blocked_ = false;
};

}  // namespace rushlight
