// Keeps a track to one source at a time. A publisher may send several (simulcast layers), restart its encoder under
// another SSRC or another sequence, and let an old stray packet through; only one that keeps sending is the source.
#pragma once
#include <utility>
#include <vector>

#include "rtp.h"

namespace rushlight {

class SourceGuard {
 public:
  // Passes on to `take(packet, begins)`, in order: nothing, the packet itself, or also held ones.
  // `begins` is true for the first packet of a source.
  template <typename Take>
  void admit(const RtpPacket& packet, double nowMs, Take take) {
    if (goesOn(packet, nowMs)) return take(packet, false);
    if (!begins(packet, nowMs)) return;
    const auto held = std::move(held_);
    forget();
    bool first = true;
    for (const Held& one : held) take(one.packet(), std::exchange(first, false));
    take(packet, first);
  }

 private:
  // A packet that waits for proof, with its own copy of the bytes.
  struct Held {
    RtpPacket head;
    std::vector<uint8_t> payload;
    RtpPacket packet() const {
      RtpPacket whole = head;
      whole.payload = payload;
      return whole;
    }
  };

  // True if the packet belongs to the current source.
  bool goesOn(const RtpPacket& packet, double nowMs);
  // True if it proves, with the held ones, that another source begins.
  bool begins(const RtpPacket& packet, double nowMs);
  bool provesJump(const RtpPacket& packet) const;
  bool provesRival(const RtpPacket& packet);
  void hold(const RtpPacket& packet);
  void forget();

  bool known_ = false;
  uint32_t ssrc_ = 0;
  uint16_t highest_ = 0;
  double heardMs_ = 0;
  std::vector<Held> held_;
  int pictures_ = 0;
};

}  // namespace rushlight
