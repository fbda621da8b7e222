#include "source.h"

#include "crypto.h"
#include "session.h"

namespace rushlight {

namespace {

constexpr double kFeedbackIntervalMs = 1000;
constexpr double kNackIntervalMs = 20;
const std::string kName = "rushlight";
constexpr size_t kUnnamedPackets = 32;
// Three layers, each with its repairs, for several restarts.
constexpr size_t kMaxSsrcs = 32;

}  // namespace

Source::Source(SourceOptions options, Track* video, Track* audio, Session* session)
    : options_(std::move(options)), session_(session), ssrc_(randomNumber() | 1) {
  video_.track = video;
  audio_.track = audio;
  // The same SSRC may return with other numbers.
  if (video != nullptr) video->endSource();
  if (audio != nullptr) audio->endSource();
  if (session != nullptr) session->add(this);
}

Source::~Source() {
  if (small_ != nullptr) small_->full_ = nullptr;
  if (full_ != nullptr) full_->small_ = nullptr;
  if (session_ != nullptr) session_->remove(this);
}

void Source::nameLayer(LayerNames names, Source* full, Context& context) {
  names_ = std::move(names);
  if (full == nullptr || full == this || session_ == nullptr) return;
  full_ = full;
  full->small_ = this;
  session_->setSource(full);
  session_->releaseHeld(context);
}

void Source::trackGone(const Track* track) {
  if (video_.track == track) video_.track = nullptr;
  if (audio_.track == track) audio_.track = nullptr;
}

std::optional<double> Source::captureDelayMs() const {
  return session_ == nullptr && !options_.tellsCaptureTime ? std::nullopt : captureDelay_.ms();
}

void Source::receiveRtp(View datagram, Context& context) {
  const auto packet = parseRtp(datagram);
  if (!packet) return;
  noteArrival(datagram, context);
  const auto kind = kindOf(*packet, datagram);
  if (!kind) return;
  Source* layer = names_ && kind == Kind::Video ? layerOf(*packet, datagram) : this;
  if (layer != nullptr) layer->receive(*packet, *kind, context);
}

// Also of packets that carry nothing, with which publishers probe the bandwidth.
void Source::noteArrival(View datagram, Context& context) {
  const auto number = rtpExtension(datagram, options_.transportExtension);
  if (number.size() != 2) return;
  arrivals_.arrived(read16(reinterpret_cast<const uint8_t*>(number.data())), context.nowMs);
}

// The section that the packet, or an earlier one of its SSRC, names.
Source::Section Source::namedSection(const RtpPacket& packet, View datagram) {
  const SectionNames& names = options_.sections;
  if (names.midExtension <= 0) return Section::None;
  const auto mid = rtpExtension(datagram, names.midExtension);
  const auto known = sections_.find(packet.ssrc);
  if (mid.empty()) return known == sections_.end() ? Section::None : known->second;
  const Section section = mid == names.video ? Section::Video : mid == names.audio ? Section::Audio : Section::Other;
  if (known != sections_.end()) return known->second = section;
  if (sections_.size() >= kMaxSsrcs) sections_.clear();
  sections_.emplace(packet.ssrc, section);
  return section;
}

// The named section wins; a payload type of both sections decides nothing. Nothing if it was not negotiated.
std::optional<Kind> Source::kindOf(const RtpPacket& packet, View datagram) {
  const int payloadType = packet.payloadType;
  const bool video = payloadType == options_.videoPayloadType || payloadType == options_.repairPayloadType;
  const bool audio = payloadType == options_.audioPayloadType;
  const Section named = namedSection(packet, datagram);
  if (named == Section::Other || (named == Section::None && video && audio && options_.sections.midExtension > 0)) return std::nullopt;
  if (video && named != Section::Audio) return Kind::Video;
  if (audio && named != Section::Video) return Kind::Audio;
  return std::nullopt;
}

// The layer that the picture belongs to; null if there is none.
Source* Source::layerOf(const RtpPacket& packet, View datagram) {
  auto known = rids_.find(packet.ssrc);
  if (known == rids_.end()) {
    const bool repair = packet.payloadType == options_.repairPayloadType;
    const auto rid = rtpExtension(datagram, repair ? names_->repairedRidExtension : names_->ridExtension);
    // A publisher that offered several layers and names none sends one.
    if (rid.empty()) return rids_.empty() && ++unnamed_ > kUnnamedPackets ? this : nullptr;
    if (rids_.size() >= kMaxSsrcs) rids_.clear();
    known = rids_.emplace(packet.ssrc, rid).first;
  }
  if (known->second == names_->rid) return this;
  return small_ != nullptr && small_->names_->rid == known->second ? small_ : nullptr;
}

void Source::receive(const RtpPacket& packet, Kind kind, Context& context) {
  if (kind == Kind::Audio) admit(audio_, packet, context);
  else if (packet.payloadType == options_.videoPayloadType) admit(video_, packet, context);
  else receiveRepair(packet, context);
}

// A retransmission carries the original packet after its number; pure padding probes the bandwidth.
void Source::receiveRepair(const RtpPacket& repair, Context& context) {
  if (!video_.stats || repair.payload.size() <= 2) return;
  RtpPacket packet = repair;
  packet.ssrc = video_.stats->ssrc();
  packet.sequence = read16(repair.payload.data());
  packet.payload = repair.payload.subspan(2);
  admit(video_, packet, context);
}

void Source::receiveIngest(Kind kind, View datagram, Context& context) {
  Incoming& incoming = kind == Kind::Video ? video_ : audio_;
  if (isRtcp(datagram)) {
    reportsOf_ = &incoming;
    reportContext_ = &context;
    rtcp::parse(datagram, *this);
    return;
  }
  const auto packet = parseRtp(datagram);
  if (packet) admit(incoming, *packet, context);
}

void Source::admit(Incoming& incoming, const RtpPacket& packet, Context& context) {
  if (incoming.track == nullptr) return;
  lastPacketMs_ = context.nowMs;
  incoming.guard.admit(packet, context.nowMs, [&](const RtpPacket& one, bool begins) { take(incoming, one, begins, context); });
}

void Source::take(Incoming& incoming, const RtpPacket& packet, bool begins, Context& context) {
  if (begins) openStats(incoming, packet.ssrc, context);
  const int64_t extended = incoming.stats->arrived(packet.sequence, packet.timestamp, context.nowMs);
  if (&incoming == &video_) {
    captureDelay_.noteArrival(packet.timestamp, context.unixMs);
    if (session_ != nullptr && nacks_.arrived(extended, context.nowMs)) nackDueMs = context.nowMs;
  }
  incoming.track->write(packet, context);
  if (begins && incoming.report && incoming.report->ssrc == packet.ssrc) noteReport(incoming, *incoming.report, context);
}

void Source::openStats(Incoming& incoming, uint32_t ssrc, Context& context) {
  if (incoming.stats) {
    incoming.lostBefore += incoming.stats->lostTotal();
    incoming.expectedBefore += incoming.stats->expectedTotal();
  }
  incoming.stats.emplace(ssrc, incoming.track->clockRate());
  if (session_ == nullptr) clock_ = {};
  if (&incoming != &video_) return;
  nacks_ = {};
  feedbackMs_ = -1;
  context.events.push({EventType::SourceBegan, options_.handle});
  if (session_ != nullptr) captureDelay_ = CaptureDelay(kVideoClockHz);
}

void Source::takeSenderReport(const rtcp::SenderReport& report, Context& context) {
  if (small_ != nullptr) small_->takeSenderReport(report, context);
  for (Incoming* incoming : {&video_, &audio_}) {
    if (!incoming->stats || incoming->stats->ssrc() != report.ssrc) continue;
    if (incoming == &video_) captureDelay_.noteReport(report.rtpTimestamp, rtcp::unixMsOfNtp(report.ntp));
    incoming->stats->noteSenderReport(rtcp::middleOfNtp(report.ntp), context.nowMs);
    noteReport(*incoming, report, context);
  }
}

void Source::onSenderReport(const rtcp::SenderReport& report) {
  Incoming& incoming = *reportsOf_;
  if (&incoming == &video_) {
    if (!incoming.report || incoming.report->ssrc != report.ssrc) captureDelay_ = CaptureDelay(kVideoClockHz);
    captureDelay_.noteReport(report.rtpTimestamp, rtcp::unixMsOfNtp(report.ntp));
  }
  incoming.report = report;
  noteReport(incoming, report, *reportContext_);
}

void Source::noteReport(Incoming& incoming, const rtcp::SenderReport& report, Context& context) {
  if (incoming.track == nullptr) return;
  const auto timestamp = incoming.track->normalizer().timestampOf(report.ssrc, report.rtpTimestamp, context.nowMs);
  if (!timestamp) return;
  const double unixMs = rtcp::unixMsOfNtp(report.ntp);
  const double atMs = options_.tellsCaptureTime ? context.nowMs - (context.unixMs - unixMs) : clock_.toLocal(unixMs, context.nowMs);
  incoming.track->clock().noteReport(*timestamp, atMs, context.nowMs);
}

void Source::requestKeyframe(Context& context) {
  if (!video_.stats || session_ == nullptr) return;
  rtcp::Builder compound = feedback();
  compound.pictureLoss(ssrc_, video_.stats->ssrc());
  send(compound, context);
}

double Source::askAgain(Context& context) {
  nackDueMs = -1;
  if (!video_.stats || session_ == nullptr) return -1;
  const auto due = nacks_.due(context.nowMs);
  if (!due.empty()) {
    rtcp::Builder compound = feedback();
    compound.nack(ssrc_, video_.stats->ssrc(), due);
    send(compound, context);
  }
  if (nacks_.takeAbandoned()) context.events.push({EventType::SourceNeedsKeyframe, options_.handle});
  if (nacks_.pending() > 0) nackDueMs = context.nowMs + kNackIntervalMs;
  return nackDueMs;
}

void Source::tick(Context& context) {
  if (session_ == nullptr || !session_->canSend()) return;
  sendArrivals(context);
  if (feedbackMs_ >= 0 && context.nowMs - feedbackMs_ < kFeedbackIntervalMs) return;
  std::vector<rtcp::ReportBlock> reports;
  std::vector<uint32_t> ssrcs;
  for (Incoming* incoming : {&video_, &audio_}) {
    if (!incoming->stats) continue;
    reports.push_back(incoming->stats->report(context.nowMs));
    ssrcs.push_back(incoming->stats->ssrc());
  }
  if (ssrcs.empty()) return;
  feedbackMs_ = context.nowMs;
  rtcp::Builder compound;
  compound.receiverReport(ssrc_, reports);
  compound.canonicalName(ssrc_, kName);
  compound.remb(ssrc_, options_.maxBitsPerSecond, ssrcs);
  send(compound, context);
}

void Source::sendArrivals(Context& context) {
  for (const auto& message : arrivals_.take(context.nowMs)) {
    rtcp::Builder compound = feedback();
    compound.transportFeedback(ssrc_, video_.stats ? video_.stats->ssrc() : 0, message);
    send(compound, context);
  }
}

rtcp::Builder Source::feedback() const {
  rtcp::Builder compound;
  if (options_.reducedSize) return compound;
  compound.receiverReport(ssrc_, {});
  compound.canonicalName(ssrc_, kName);
  return compound;
}

void Source::send(const rtcp::Builder& compound, Context& context) {
  session_->sendRtcp(compound.bytes(), context);
}

}  // namespace rushlight
