#include "track.h"

#include <algorithm>

#include "crypto.h"
#include "sink.h"

namespace rushlight {

namespace {

// Ten seconds at 25 Mbit/s; with longer groups of pictures, viewers have to wait for the next keyframe.
constexpr size_t kVideoBytes = 32 * 1024 * 1024;
constexpr size_t kAudioBytes = 512 * 1024;
// What fits an Ethernet frame beside IP, UDP, RTP and SRTP, with some room. Publishers usually stay below it, and
// forwarding unchanged packets is cheap.
constexpr size_t kMaxPayloadBytes = 1400;
constexpr double kNeededIntervalMs = 250;
// After a pause this long a picture is reported.
constexpr double kPictureNewsMs = 500;

}  // namespace

Track::Track(Handle handle, Kind kind, uint32_t clockRate)
    : handle_(handle),
      kind_(kind),
      clockRate_(clockRate),
      ring_(kind == Kind::Video ? kVideoBytes : kAudioBytes),
      normalizer_(clockRate, 0x10000, randomNumber()),
      clock_(clockRate) {}

Track::~Track() {
  for (Sink* sink : sinks_) sink->trackGone(this);
}

void Track::remove(Sink* sink) { std::erase(sinks_, sink); }

void Track::beginSource() {
  endSource();
  forgetParameterSets();
}

void Track::forgetParameterSets() {
  vps_.clear();
  sps_.clear();
  pps_.clear();
}

// Each source may have a codec of its own, and shows it with its first parameter sets.
void Track::recognise(View payload) {
  const auto codec = payload::recognise(payload);
  if (!codec || *codec == codec_) return;
  codec_ = *codec;
  forgetParameterSets();
}

bool Track::canDecode() const { return !sps_.empty() && !pps_.empty() && (codec_ == Codec::H264 || !vps_.empty()); }

void Track::setParameterSet(View nal, Context& context) {
  recognise(nal);
  takeParameterSets(payload::inspect(codec_, nal), context);
}

void Track::write(const RtpPacket& packet, Context& context) {
  const bool video = kind_ == Kind::Video;
  const bool continues = normalizer_.continues(packet.ssrc, packet.sequence);
  if (video && !continues) recognise(packet.payload);
  const auto info = video ? payload::inspect(codec_, packet.payload) : PayloadInfo{};
  if (video) takeParameterSets(info, context);
  if (!continues) {
    // A new source is admitted with its first keyframe and what decoding that needs: nothing can be decoded before it.
    const bool decodable = info.hasParameters() || (info.keyframe && canDecode());
    if (video && !decodable) {
      if (!packet.payload.empty()) needKeyframe(context);
      return;
    }
    normalizer_.begin(packet.ssrc, packet.sequence, packet.timestamp, context.nowMs);
    clock_.reset();
    picture_.reset();
  }
  forward(packet, info, context);
}

void Track::forward(const RtpPacket& packet, const PayloadInfo& info, Context& context) {
  if (kind_ == Kind::Video) payload::fit(codec_, packet.payload, kMaxPayloadBytes, pieces_);
  else pieces_.assign(1, Piece{{}, 0, packet.payload});
  // Padding is sent on as an empty packet, and so is anything malformed: left out, it would look like a loss to viewers.
  if (pieces_.empty()) pieces_.emplace_back();
  const int count = static_cast<int>(pieces_.size());
  const auto place = normalizer_.place(packet.sequence, packet.timestamp, count, context.nowMs);
  if (!place) return;
  if (place->stepped) clock_.reset();
  clock_.noteArrival(place->timestamp, context.nowMs);
  for (int i = 0; i < place->width; i++) {
    const bool last = i == count - 1;
    store(*place, i, packet.marker && last, i < count ? pieces_[static_cast<size_t>(i)] : Piece{}, context);
  }
  if (kind_ == Kind::Video && !packet.payload.empty()) followPicture(*place, info, context);
}

void Track::store(const Place& place, int piece, bool marker, const Piece& content, Context& context) {
  const int64_t sequence = place.sequence + piece;
  const View head = {content.head, content.headBytes};
  if (!ring_.put(sequence, place.timestamp, marker, head, content.body, context.nowMs)) return;
  octets_ += head.size() + content.body.size();
  if (place.late) {
    for (Sink* sink : sinks_) sink->offerLate(*this, sequence, context);
  }
  if (dirty) return;
  dirty = true;
  dirtySinceMs = context.nowMs;
  context.dirty.push_back(this);
}

void Track::followPicture(const Place& place, const PayloadInfo& info, Context& context) {
  if (place.late && (!picture_ || picture_->timestamp != place.timestamp)) {
    // Of an earlier picture; a keyframe that is only complete now still counts as one.
    Picture repaired{place.timestamp, place.sequence, true, false, false};
    if (info.keyframe && place.sequence > keyframe_) markKeyframe(repaired, context);
    return;
  }
  if (!picture_ || picture_->timestamp != place.timestamp) {
    if (picture_) order_.note(timestampDistance(picture_->timestamp, place.timestamp) < 0 && !place.stepped);
    picture_ = Picture{place.timestamp, place.sequence, false, false, false};
  }
  picture_->start = std::min(picture_->start, place.sequence);
  if (info.hasParameters()) picture_->hasParameters = true;
  if (info.picture && !picture_->counted) {
    picture_->counted = true;
    frames_++;
    if (context.nowMs - lastFrameMs_ > kPictureNewsMs) context.events.push({EventType::Picture, handle_});
    lastFrameMs_ = context.nowMs;
  }
  if (info.keyframe && !picture_->marked) markKeyframe(*picture_, context);
}

void Track::markKeyframe(Picture& picture, Context& context) {
  // Nobody can join a picture whose parameter sets are unknown: a requested keyframe brings them.
  if (!canDecode()) return needKeyframe(context);
  picture.marked = true;
  keyframe_ = picture.start;
  keyframeMs_ = context.nowMs;
  ring_.keepFrom(keyframe_);
  if (picture.hasParameters) preface_.clear();
  else if (codec_ == Codec::H265) preface_ = payload::aggregate(codec_, {vps_, sps_, pps_});
  else preface_ = payload::aggregate(codec_, {sps_, pps_});
  for (Sink* sink : sinks_) sink->keyframeBegan(*this, context);
  context.events.push({EventType::Keyframe, handle_});
}

void Track::takeParameterSets(const PayloadInfo& info, Context& context) {
  if (!info.vps.empty() && !sameBytes(vps_, info.vps)) vps_ = toVector(info.vps);
  if (!info.pps.empty() && !sameBytes(pps_, info.pps)) pps_ = toVector(info.pps);
  if (info.sps.empty() || sameBytes(sps_, info.sps)) return;
  sps_ = toVector(info.sps);
  context.events.push({EventType::ParameterSet, handle_, static_cast<double>(codec_), 0, false, sps_});
}

void Track::needKeyframe(Context& context) {
  if (neededMs_ >= 0 && context.nowMs - neededMs_ < kNeededIntervalMs) return;
  neededMs_ = context.nowMs;
  context.events.push({EventType::KeyframeNeeded, handle_});
}

}  // namespace rushlight
