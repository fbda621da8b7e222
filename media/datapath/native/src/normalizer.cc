#include "normalizer.h"

#include <algorithm>
#include <cmath>

namespace rushlight {

namespace {

// Jumps beyond this many packets within one SSRC mean that the source restarted.
constexpr int32_t kMaxJump = 3000;
constexpr size_t kMaxMissing = 1024;
constexpr int kMaxWidth = 4;
// Timestamps may be this much ahead of the elapsed time, and this much behind the newest one.
constexpr double kAheadS = 5;
constexpr double kBehindS = 0.5;
// A report that is further than this from the packets speaks of another time line.
constexpr double kReportS = 8;
// 32-bit timestamps cannot represent longer pauses.
constexpr double kLongestPauseMs = 3'600'000;

}  // namespace

bool StreamNormalizer::continues(uint32_t ssrc, uint16_t sequence) const {
  if (!hasSource_ || ssrc_ != ssrc) return false;
  const int64_t highest = unwrapper_.highest();
  return highest < 0 || std::abs(sequenceDistance(static_cast<uint16_t>(highest), sequence)) <= kMaxJump;
}

void StreamNormalizer::begin(uint32_t ssrc, uint16_t sequence, uint32_t timestamp, double nowMs) {
  hasSource_ = true;
  ssrc_ = ssrc;
  unwrapper_ = {};
  missing_.clear();
  other_.reset();
  widest_ = 1;
  offset_ = resumedAt(nowMs) - timestamp;
  // The packet itself is the first "missing" one: anything before it is too old.
  missing_.push_back({unwrapper_.unwrap(sequence), next_, 0});
}

std::optional<Place> StreamNormalizer::place(uint16_t sequence, uint32_t timestamp, int pieces, double nowMs) {
  const int64_t before = unwrapper_.highest();
  const int64_t extended = unwrapper_.unwrap(sequence);
  if (extended > before) {
    for (int64_t lost = before + 1; lost < extended; lost++) {
      missing_.push_back({lost, next_, widest_});
      next_ += widest_;
      if (missing_.size() > kMaxMissing) missing_.pop_front();
    }
    return placeNewest(timestamp, pieces, nowMs);
  }
  const auto found = std::lower_bound(missing_.begin(), missing_.end(), extended,
                                      [](const Missing& one, int64_t wanted) { return one.extended < wanted; });
  if (found == missing_.end() || found->extended != extended) return std::nullopt;
  const Missing kept = *found;
  missing_.erase(found);
  if (kept.width == 0) return placeNewest(timestamp, pieces, nowMs);
  if (pieces > kept.width) return std::nullopt;
  Place place;
  place.sequence = kept.placed;
  place.timestamp = timestamp + offset_;
  if (other_ && std::abs(timestampDistance(lastTimestamp_, place.timestamp)) > kAheadS * clockRate_) {
    place.timestamp = timestamp + other_->offset;
  }
  place.width = kept.width;
  place.late = true;
  return place;
}

Place StreamNormalizer::placeNewest(uint32_t timestamp, int pieces, double nowMs) {
  Place place;
  widest_ = std::clamp(pieces, widest_, kMaxWidth);
  place.sequence = next_;
  place.width = pieces;
  next_ += pieces;
  place.timestamp = onTimeLine(timestamp, nowMs, place.stepped);
  if (lastAtMs_ < 0 || timestampDistance(lastTimestamp_, place.timestamp) > 0) lastTimestamp_ = place.timestamp;
  lastAtMs_ = nowMs;
  return place;
}

uint32_t StreamNormalizer::onTimeLine(uint32_t timestamp, double nowMs, bool& stepped) {
  const double passed = lastAtMs_ < 0 ? 0 : std::min(nowMs - lastAtMs_, kLongestPauseMs) * clockRate_ / 1000;
  const auto fits = [&](uint32_t shifted) {
    const int32_t ahead = timestampDistance(lastTimestamp_, shifted);
    return ahead >= -kBehindS * clockRate_ && ahead <= passed + kAheadS * clockRate_;
  };
  const uint32_t shifted = timestamp + offset_;
  if (fits(shifted)) {
    other_.reset();
    return shifted;
  }
  if (other_ && fits(timestamp + other_->offset)) {
    const uint32_t onOther = timestamp + other_->offset;
    if (timestamp != other_->first) {
      offset_ = other_->offset;
      other_.reset();
      stepped = true;
    }
    return onOther;
  }
  other_ = Line{resumedAt(nowMs) - timestamp, timestamp};
  return timestamp + other_->offset;
}

uint32_t StreamNormalizer::resumedAt(double nowMs) const {
  if (lastAtMs_ < 0) return lastTimestamp_;
  const double passedMs = std::clamp(nowMs - lastAtMs_, 1.0, kLongestPauseMs);
  return lastTimestamp_ + static_cast<uint32_t>(std::lround(passedMs * clockRate_ / 1000));
}

std::optional<uint32_t> StreamNormalizer::timestampOf(uint32_t ssrc, uint32_t timestamp, double nowMs) const {
  if (!hasSource_ || ssrc_ != ssrc) return std::nullopt;
  const uint32_t shifted = timestamp + offset_;
  const double elapsed = std::min(nowMs - lastAtMs_, kLongestPauseMs) * clockRate_ / 1000;
  if (std::abs(timestampDistance(lastTimestamp_, shifted) - elapsed) > kReportS * clockRate_) return std::nullopt;
  return shifted;
}

}  // namespace rushlight
