// Remembers the clock readings that receivers report until the next answer (RFC 3611, sections 4.4 and 4.5). A peer that only receives has
// no other way to learn its round trip.
#pragma once
#include <algorithm>
#include <vector>

#include "rtcp.h"

namespace rushlight {

class ReferenceTimes {
 public:
  // The newest of each of the peer's receivers counts.
  void note(const rtcp::ReferenceTime& time, double nowMs) {
    std::erase_if(times_, [&](const Noted& known) { return known.time.ssrc == time.ssrc; });
    if (times_.size() >= kMost) times_.erase(times_.begin());
    times_.push_back({time, nowMs});
  }

  // What is to be reported about them; each once.
  std::vector<rtcp::ReferenceEcho> take(double nowMs) {
    std::vector<rtcp::ReferenceEcho> echoes;
    for (const Noted& known : times_) {
      const double delay = std::clamp((nowMs - known.atMs) * 65536 / 1000, 0.0, 4294967295.0);
      echoes.push_back({known.time.ssrc, rtcp::middleOfNtp(known.time.ntp), static_cast<uint32_t>(delay)});
    }
    times_.clear();
    return echoes;
  }

 private:
  // One for picture and one for sound are usual.
  static constexpr size_t kMost = 4;
  struct Noted {
    rtcp::ReferenceTime time;
    double atMs = 0;
  };
  std::vector<Noted> times_;
};

}  // namespace rushlight
