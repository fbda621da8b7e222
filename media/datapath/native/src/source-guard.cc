#include "source-guard.h"

#include <cstdlib>

#include "sequence.h"

namespace rushlight {

namespace {

// Beyond this many packets within one SSRC the source may have restarted, or a packet is stray.
constexpr int32_t kMaxJump = 3000;
// The packet after one that jumped proves that the source restarts there; some between may be lost.
constexpr int32_t kMaxSuccessor = 16;
// A source that is silent for this long gives way at once.
constexpr double kSilentMs = 1000;
// Pictures (timestamps) another source must have begun while the current one sent nothing.
constexpr int kRivalPictures = 3;
constexpr size_t kMaxHeld = 512;

}  // namespace

bool SourceGuard::goesOn(const RtpPacket& packet, double nowMs) {
  if (!known_ || packet.ssrc != ssrc_) return false;
  const int32_t ahead = sequenceDistance(highest_, packet.sequence);
  if (std::abs(ahead) > kMaxJump) return false;
  if (ahead > 0) highest_ = packet.sequence;
  heardMs_ = nowMs;
  held_.clear();
  return true;
}

bool SourceGuard::begins(const RtpPacket& packet, double nowMs) {
  const bool silent = !known_ || nowMs - heardMs_ > kSilentMs;
  const bool proven = silent || (packet.ssrc == ssrc_ ? provesJump(packet) : provesRival(packet));
  if (!proven) {
    hold(packet);
    return false;
  }
  // Packets held for another source have nothing to do with this one.
  if (!held_.empty() && held_.back().head.ssrc != packet.ssrc) held_.clear();
  known_ = true;
  ssrc_ = packet.ssrc;
  highest_ = packet.sequence;
  heardMs_ = nowMs;
  return true;
}

bool SourceGuard::provesJump(const RtpPacket& packet) const {
  if (held_.empty() || held_.back().head.ssrc != packet.ssrc) return false;
  const int32_t behind = sequenceDistance(held_.back().head.sequence, packet.sequence);
  return behind > 0 && behind <= kMaxSuccessor;
}

bool SourceGuard::provesRival(const RtpPacket& packet) {
  if (held_.empty() || held_.back().head.ssrc != packet.ssrc) return false;
  if (held_.back().head.timestamp != packet.timestamp) pictures_++;
  return pictures_ >= kRivalPictures || held_.size() + 1 >= kMaxHeld;
}

void SourceGuard::hold(const RtpPacket& packet) {
  const bool same = !held_.empty() && held_.back().head.ssrc == packet.ssrc && packet.ssrc != ssrc_;
  if (!same) {
    held_.clear();
    pictures_ = 1;
  }
  held_.push_back({packet, toVector(packet.payload)});
}

void SourceGuard::forget() {
  held_.clear();
  pictures_ = 0;
}

}  // namespace rushlight
