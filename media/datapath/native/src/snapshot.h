// Statistics for JavaScript: the thread publishes complete snapshots, and JavaScript reads the newest one. Neither side
// waits for the other.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace rushlight {

// The layout is the protocol with native-snapshot.ts: the head, then the rows of sessions, tracks, sources and sinks.
struct SnapshotLayout {
  static constexpr size_t kHead = 10;
  static constexpr size_t kSession = 4;
  static constexpr size_t kTrack = 8;
  static constexpr size_t kSource = 5;
  static constexpr size_t kSink = 9;
};

class SnapshotExchange {
 public:
  // Thread side: where the next snapshot is written.
  std::vector<double>& back() { return buffers_[back_]; }
  void publish() { back_ = static_cast<uint8_t>(middle_.exchange(back_ | kFresh, std::memory_order_acq_rel) & kIndex); }

  // JavaScript side: the newest snapshot, which does not change until the next call.
  const std::vector<double>& latest() {
    if (middle_.load(std::memory_order_relaxed) & kFresh) {
      front_ = static_cast<uint8_t>(middle_.exchange(front_, std::memory_order_acq_rel) & kIndex);
    }
    return buffers_[front_];
  }

 private:
  static constexpr uint8_t kFresh = 4;
  static constexpr uint8_t kIndex = 3;
  std::array<std::vector<double>, 3> buffers_;
  std::atomic<uint8_t> middle_{1};
  uint8_t back_ = 0;
  uint8_t front_ = 2;
};

}  // namespace rushlight
