#include "reception.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace rushlight {

namespace {

// A larger change of the transit time is one of the sender's timestamps.
constexpr double kMaxChangeS = 8;
constexpr double kRetryMs = 60;
constexpr int kMaxTries = 8;
// Larger gaps are not requested: the stream jumped.
constexpr int64_t kMaxGap = 512;
// Nor is more than this at a time: only a new keyframe mends it, and a publisher must not fill the memory with its gaps.
constexpr size_t kMaxMissing = 1024;

}  // namespace

int64_t ReceptionStats::arrived(uint16_t sequence, uint32_t timestamp, double nowMs) {
  const int64_t extended = unwrapper_.unwrap(sequence);
  if (received_ == 0) base_ = extended;
  const auto arrival = static_cast<uint32_t>(static_cast<int64_t>(std::llround(nowMs * clockRate_ / 1000)));
  const auto transit = static_cast<int32_t>(arrival - timestamp);
  if (received_ > 0) {
    const double change = std::abs(static_cast<double>(timestampDistance(static_cast<uint32_t>(lastTransit_), static_cast<uint32_t>(transit))));
    // A step of the time line is no jitter.
    if (change < kMaxChangeS * clockRate_) jitter_ += (change - jitter_) / 16;
  }
  lastTransit_ = transit;
  received_++;
  return extended;
}

void ReceptionStats::noteSenderReport(uint32_t middle, double nowMs) {
  reportMiddle_ = middle;
  reportMs_ = nowMs;
}

int64_t ReceptionStats::lostTotal() const { return std::max<int64_t>(0, expected() - received_); }

rtcp::ReportBlock ReceptionStats::report(double nowMs) {
  const int64_t expectedNow = expected() - expectedBefore_;
  const int64_t lost = expectedNow - (received_ - receivedBefore_);
  expectedBefore_ = expected();
  receivedBefore_ = received_;
  rtcp::ReportBlock block;
  block.ssrc = ssrc_;
  if (expectedNow > 0 && lost > 0) block.fractionLost = static_cast<uint8_t>(std::min<int64_t>(255, lost * 256 / expectedNow));
  block.lostTotal = static_cast<int32_t>(std::clamp<int64_t>(expected() - received_, -0x800000, 0x7fffff));
  block.highestSequence = static_cast<uint32_t>(unwrapper_.highest() - 0x10000);
  block.jitter = static_cast<uint32_t>(std::lround(jitter_));
  if (reportMs_ >= 0) {
    block.lastReport = reportMiddle_;
    block.delaySinceLastReport = static_cast<uint32_t>(std::lround((nowMs - reportMs_) / 1000 * 65536));
  }
  return block;
}

bool NackGenerator::arrived(int64_t extended, double nowMs) {
  if (highest_ < 0) {
    highest_ = extended;
    return false;
  }
  if (extended <= highest_) {
    missing_.erase(extended);
    return false;
  }
  const int64_t gap = extended - highest_ - 1;
  if (gap > kMaxGap || missing_.size() + static_cast<size_t>(gap) > kMaxMissing) {
    abandoned_ = true;
    missing_.clear();
  } else {
    for (int64_t lost = highest_ + 1; lost < extended; lost++) missing_.emplace(lost, Missing{0, nowMs});
  }
  highest_ = extended;
  return gap > 0;
}

std::vector<uint16_t> NackGenerator::due(double nowMs) {
  std::vector<uint16_t> due;
  for (auto one = missing_.begin(); one != missing_.end();) {
    Missing& missing = one->second;
    if (missing.dueMs > nowMs) {
      ++one;
    } else if (missing.tries >= kMaxTries) {
      abandoned_ = true;
      one = missing_.erase(one);
    } else {
      missing.tries++;
      missing.dueMs = nowMs + kRetryMs;
      due.push_back(static_cast<uint16_t>(one->first));
      ++one;
    }
  }
  return due;
}

}  // namespace rushlight
