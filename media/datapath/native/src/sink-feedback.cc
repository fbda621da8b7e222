// The effects of a viewer's reports and requests, and the reports it gets.
#include <algorithm>
#include <cmath>

#include "session.h"
#include "sink.h"

namespace rushlight {

namespace {

// A packet is not sent again within a round trip, and at least this: its first repetition is still under way.
constexpr double kLeastPauseMs = 15;
constexpr size_t kRepeatedMemory = 1024;
// A busy viewer answers a report late, and repairs must not wait for that: a longer round trip is believed only slowly.
constexpr double kFollow = 0.125;
// So many packets missing at once are a lone loss, and so small a share is not a path that is full.
constexpr size_t kFewPackets = 3;
constexpr double kLittleLoss = 0.06;
constexpr double kReportIntervalMs = 1000;
constexpr double kFasterAfterMs = 500;
// What a viewer may request again in a second, packet by packet.
constexpr double kLookUpsPerSecond = 2000;

}  // namespace

void Sink::retransmit(const std::vector<uint16_t>& lost, Context& context) {
  if (track_ == nullptr || session_ == nullptr || !session_->canSend()) return;
  const PacketRing& ring = track_->ring();
  slowDown(context);
  lookUps_ = std::max(0.0, lookUps_ - (context.nowMs - lookUpsMs_) / 1000 * kLookUpsPerSecond);
  lookUpsMs_ = context.nowMs;
  const bool little = stats_.lossRatio >= 0 && stats_.lossRatio <= kLittleLoss;
  const bool lone = state_ == State::Live && lost.size() <= kFewPackets && little;
  for (const uint16_t sequence : lost) {
    const int64_t viewer = extendSequence(sequence, map_.next());
    // Packets from before the last start are useless, and must not use up the budget.
    if (viewer < firstOfStart_ || lookUps_ >= kLookUpsPerSecond) {
      stats_.retransmitsRefused++;
      continue;
    }
    lookUps_++;
    if (viewer == prefaceAt_ && viewer < map_.next()) {
      sendAgain(preface_, false, prefaceTimestamp_, viewer, context);
      continue;
    }
    const auto wanted = map_.toTrack(viewer);
    if (!wanted || !started()) {
      stats_.retransmitsRefused++;
      continue;
    }
    const StoredPacket* packet = ring.get(*wanted);
    if (packet == nullptr) {
      stats_.retransmitsRefused++;
      // A gap is the publisher's to repair; only a keyframe repairs what was overwritten.
      if (*wanted < ring.tail()) needKeyframe(context);
      continue;
    }
    if (!repeat(*packet, viewer, lone, context)) {
      giveUpPicture(context);
      needKeyframe(context);
    }
  }
}

// False if too much was requested again. A packet that is requested again although it was retransmitted was lost twice: it is sent twice
// this time. So is a lone loss the first time if the viewer does not know its round trip: browsers then wait a tenth of a second before
// they ask again, and the picture waits with them.
bool Sink::repeat(const StoredPacket& packet, int64_t viewer, bool lone, Context& context) {
  const auto before = repeated_.find(viewer);
  const bool insistent = before != repeated_.end();
  const bool twice = insistent || (lone && !session_->knowsRoundTrip());
  if (insistent && context.nowMs - before->second < pauseMs()) {
    stats_.retransmitsRefused++;
    return true;
  }
  if (!budget_.spend(packet.length)) {
    stats_.retransmitsRefused++;
    return options_.steady;
  }
  if (repeated_.size() >= kRepeatedMemory) {
    std::erase_if(repeated_, [&](const auto& one) { return context.nowMs - one.second > pauseMs(); });
    if (repeated_.size() >= kRepeatedMemory) repeated_.clear();
  }
  for (int copies = twice && budget_.spendSpare(packet.length) ? 2 : 1; copies > 0; copies--) {
    if (!sendAgain(packet.view(), packet.marker, timestampOf(packet), viewer, context)) return true;
    repeated_[viewer] = context.nowMs;
    stats_.retransmitted++;
    stats_.retransmittedOctets += packet.length;
  }
  return true;
}

// In a separate stream a packet carries its number before the payload (RFC 4588, section 4).
bool Sink::sendAgain(View payload, bool marker, uint32_t timestamp, int64_t viewer, Context& context) {
  if (options_.repairSsrc == 0) return transmit(payload, marker, timestamp, viewer, context);
  std::vector<uint8_t> repair(2 + payload.size());
  write16(repair.data(), static_cast<uint32_t>(viewer & 0xffff));
  copyBytes(repair.data() + 2, payload.data(), payload.size());
  const auto sequence = static_cast<uint16_t>(repairSequence_);
  const bool sent = session_->sendRtp({marker, options_.repairPayloadType, sequence, timestamp, options_.repairSsrc, repair},
                                      repairSequence_, context);
  if (sent) repairSequence_++;
  return sent;
}

void Sink::takeReport(const rtcp::ReportBlock& report, Context& context) {
  stats_.lossRatio = report.fractionLost / 256.0;
  for (const SentReport& sent : reports_) {
    if (sent.atMs < 0 || sent.middle != report.lastReport) continue;
    const double rttMs = context.nowMs - sent.atMs - report.delaySinceLastReport * 1000.0 / 65536;
    stats_.rttMs = std::max(0.0, std::round(rttMs * 10) / 10);
    const bool shorter = usualRttMs_ < 0 || stats_.rttMs < usualRttMs_;
    usualRttMs_ = shorter ? stats_.rttMs : usualRttMs_ + (stats_.rttMs - usualRttMs_) * kFollow;
  }
}

double Sink::pauseMs() const { return std::max(kLeastPauseMs, usualRttMs_); }

void Sink::tick(Context& context) {
  if (track_ == nullptr) return;
  if (state_ == State::Waiting && waitUntilMs_ >= 0 && context.nowMs >= waitUntilMs_ && track_->keyframe() >= 0) {
    waitUntilMs_ = -1;
    repeatKeyframe(context);
  }
  if (next_ != nullptr && nextUntilMs_ >= 0 && context.nowMs >= nextUntilMs_ && next_->keyframe() >= 0) {
    takeNext(context);
    start(track_->keyframe(), context);
  }
  if (context.nowMs - slowedMs_ > kFasterAfterMs) perMs_ = std::max(perMs_, std::min(kUsualPerMs, perMs_ + 1));
  if (tap_ || closed_ || stats_.packets == 0 || state_ == State::CatchingUp) return;
  if (context.nowMs - reportedMs_ < kReportIntervalMs) return;
  reportedMs_ = context.nowMs;
  report(context);
}

void Sink::report(Context& context) {
  if (session_ == nullptr || !session_->canSend()) return;
  const auto timestamp = track_->clock().timestampAt(context.nowMs);
  if (!timestamp) return;
  const uint64_t ntp = rtcp::ntpOfUnixMs(context.unixMs);
  reports_[nextReport_++ % reports_.size()] = {rtcp::middleOfNtp(ntp), context.nowMs};
  rtcp::Builder compound;
  compound.senderReport({options_.ssrc, ntp, *timestamp + offset_, static_cast<uint32_t>(stats_.packets), static_cast<uint32_t>(stats_.octets)});
  compound.canonicalName(options_.ssrc, options_.cname);
  const auto echoes = session_->takeReferenceEchoes(context.nowMs);
  if (!echoes.empty()) compound.referenceEchoes(options_.ssrc, echoes);
  session_->sendRtcp(compound.bytes(), context);
}

}  // namespace rushlight
