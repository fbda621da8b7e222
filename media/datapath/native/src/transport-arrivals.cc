#include "transport-arrivals.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "sequence.h"

namespace rushlight {

namespace {

// Reported arrivals are kept for so long: a late packet is reported together with what came around it.
constexpr double kKeptMs = 500;
// More packets than come in that time. A jump of the numbers is reported this far back.
constexpr int64_t kMostKept = 4096;
// So that a message fits into a datagram.
constexpr int64_t kMostInMessage = 400;
// Two arrivals in a row, in ticks.
constexpr int64_t kMostApart = 0x7fff;
constexpr double kTicksPerMs = 4;
constexpr int64_t kReferenceTicks = 64 * 4;

}  // namespace

void TransportArrivals::arrived(uint16_t number, double nowMs) {
  // The first one counts from 65536, so that packets late at the start stay positive.
  const int64_t extended = highest_ < 0 ? 0x10000 + number : extendSequence(number, highest_);
  const int64_t before = highest_ < 0 ? extended - 1 : highest_;
  if (extended <= before - kMostKept) return;
  if (!arrivals_.emplace(extended, static_cast<int64_t>(std::floor(nowMs * kTicksPerMs))).second) return;
  highest_ = std::max(before, extended);
  first_ = std::max(std::min(first_ < 0 ? before + 1 : first_, extended), highest_ - kMostKept + 1);
  // What a flood between two messages would add.
  arrivals_.erase(arrivals_.begin(), arrivals_.upper_bound(highest_ - kMostKept));
}

std::vector<rtcp::TransportFeedback> TransportArrivals::take(double nowMs) {
  std::vector<rtcp::TransportFeedback> messages;
  for (int64_t first = first_; first >= 0 && first <= highest_;) {
    messages.push_back(messageFrom(first));
    first += static_cast<int64_t>(messages.back().arrivals.size());
  }
  first_ = -1;
  forget(nowMs);
  return messages;
}

rtcp::TransportFeedback TransportArrivals::messageFrom(int64_t first) {
  const int64_t last = std::min(highest_, first + kMostInMessage - 1);
  rtcp::TransportFeedback message;
  message.count = count_++;
  message.first = static_cast<uint16_t>(first);
  std::optional<int64_t> reference, before;
  auto next = arrivals_.lower_bound(first);
  for (int64_t number = first; number <= last; number++) {
    if (next == arrivals_.end() || next->first != number) {
      message.arrivals.push_back(std::nullopt);
      continue;
    }
    const int64_t at = next->second;
    if (before && std::abs(at - *before) > kMostApart) break;
    before = at;
    if (!reference) reference = at / kReferenceTicks;
    message.arrivals.push_back(static_cast<int32_t>(at - *reference * kReferenceTicks));
    ++next;
  }
  message.reference = static_cast<uint32_t>(reference.value_or(0) & 0xffffff);
  return message;
}

void TransportArrivals::forget(double nowMs) {
  const auto oldest = static_cast<int64_t>(std::floor((nowMs - kKeptMs) * kTicksPerMs));
  std::erase_if(arrivals_, [&](const auto& one) { return one.second < oldest; });
}

}  // namespace rushlight
