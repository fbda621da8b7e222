// A publisher's first packets may arrive before its keys, or before JavaScript has assigned it a feed. They contain the
// first keyframe, so they wait for a moment.
#pragma once
#include <utility>
#include <vector>

#include "bytes.h"

namespace rushlight {

class HeldPackets {
 public:
  void keep(View datagram, double nowMs) {
    if (packets_.empty()) sinceMs_ = nowMs;
    // A large keyframe fits; a stranger's flood does not.
    if (bytes_ + datagram.size() > kMaxBytes) return;
    bytes_ += datagram.size();
    packets_.push_back(toVector(datagram));
  }

  std::vector<std::vector<uint8_t>> take() {
    bytes_ = 0;
    return std::exchange(packets_, {});
  }

  void expire(double nowMs) {
    if (!packets_.empty() && nowMs - sinceMs_ > kPatienceMs) take();
  }

 private:
  static constexpr size_t kMaxBytes = 384 * 1024;
  static constexpr double kPatienceMs = 1000;
  std::vector<std::vector<uint8_t>> packets_;
  size_t bytes_ = 0;
  double sinceMs_ = 0;
};

}  // namespace rushlight
