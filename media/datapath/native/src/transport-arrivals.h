// When the packets of one connection arrived, until its sender has heard it
// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "rtcp.h"

namespace rushlight {

class TransportArrivals {
 public:
  // A packet with this number in its header extension arrived.
  void arrived(uint16_t number, double nowMs);
  // What is new, in messages of one datagram each.
  std::vector<rtcp::TransportFeedback> take(double nowMs);

 private:
  rtcp::TransportFeedback messageFrom(int64_t first);
  void forget(double nowMs);

  // In ticks, by extended number.
  std::map<int64_t, int64_t> arrivals_;
  // -1 before the first.
  int64_t highest_ = -1;
  // The first number to report; -1 if there is nothing new.
  int64_t first_ = -1;
  uint8_t count_ = 0;
};

}  // namespace rushlight
