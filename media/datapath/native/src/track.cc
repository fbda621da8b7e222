#include "track.h"

#include <algorithm>

#include "crypto.h"
#include "sink.h"

namespace rushlight {

namespace {

// Ten seconds at 25 Mbit/s; a longer group of pictures costs its viewers the wait for the next keyframe.
constexpr size_t kVideoBytes = 32 * 1024 * 1024;
constexpr size_t kAudioBytes = 512 * 1024;
// What fits an Ethernet frame beside IP, UDP, RTP and SRTP, with some room. Publishers usually stay below it, and what is
// passed on as it came costs nothing.
constexpr size_t kMaxPayloadBytes = 1400;
constexpr double kNeededIntervalMs = 250;
// After a pause this long a picture is news.
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
  sps_.clear();
  pps_.clear();
}

void Track::setParameterSet(View nal, Context& context) {
  h264::PayloadInfo info;
  if (h264::nalType(nal) == h264::Sps) info.sps = nal;
  if (h264::nalType(nal) == h264::Pps) info.pps = nal;
  takeParameterSets(info, context);
}

void Track::write(const RtpPacket& packet, Context& context) {
  const bool video = kind_ == Kind::Video;
  const auto info = video ? h264::inspect(packet.payload) : h264::PayloadInfo{};
  if (video) takeParameterSets(info, context);
  if (!normalizer_.continues(packet.ssrc, packet.sequence)) {
    // A new source is let in with its first keyframe and what decoding that needs: before it nothing can be decoded.
    const bool decodable = !info.sps.empty() || (info.idr && !sps_.empty() && !pps_.empty());
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

void Track::forward(const RtpPacket& packet, const h264::PayloadInfo& info, Context& context) {
  if (kind_ == Kind::Video) h264::fit(packet.payload, kMaxPayloadBytes, pieces_);
  else pieces_.assign(1, h264::Piece{{}, 0, packet.payload});
  // Padding goes on as an empty packet, and so does what is malformed: left out, it would look like a loss to the viewers.
  if (pieces_.empty()) pieces_.emplace_back();
  const int count = static_cast<int>(pieces_.size());
  const auto place = normalizer_.place(packet.sequence, packet.timestamp, count, context.nowMs);
  if (!place) return;
  if (place->stepped) clock_.reset();
  clock_.noteArrival(place->timestamp, context.nowMs);
  for (int i = 0; i < place->width; i++) {
    const bool last = i == count - 1;
    store(*place, i, packet.marker && last, i < count ? pieces_[static_cast<size_t>(i)] : h264::Piece{}, context);
  }
  if (kind_ == Kind::Video && !packet.payload.empty()) followPicture(*place, info, context);
}

void Track::store(const Place& place, int piece, bool marker, const h264::Piece& content, Context& context) {
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

void Track::followPicture(const Place& place, const h264::PayloadInfo& info, Context& context) {
  if (place.late && (!picture_ || picture_->timestamp != place.timestamp)) {
    // Of an earlier picture; a keyframe that is whole only now is one all the same.
    Picture repaired{place.timestamp, place.sequence, true, false, false};
    if (info.idr && place.sequence > keyframe_) markKeyframe(repaired, context);
    return;
  }
  if (!picture_ || picture_->timestamp != place.timestamp) {
    if (picture_) order_.note(timestampDistance(picture_->timestamp, place.timestamp) < 0 && !place.stepped);
    picture_ = Picture{place.timestamp, place.sequence, false, false, false};
  }
  picture_->start = std::min(picture_->start, place.sequence);
  if (!info.sps.empty()) picture_->hasParameters = true;
  if (info.picture && !picture_->counted) {
    picture_->counted = true;
    frames_++;
    if (context.nowMs - lastFrameMs_ > kPictureNewsMs) context.events.push({EventType::Picture, handle_});
    lastFrameMs_ = context.nowMs;
  }
  if (info.idr && !picture_->marked) markKeyframe(*picture_, context);
}

void Track::markKeyframe(Picture& picture, Context& context) {
  // Nobody can join a picture whose parameter sets are unknown: they come with a keyframe that is asked for.
  if (sps_.empty() || pps_.empty()) return needKeyframe(context);
  picture.marked = true;
  keyframe_ = picture.start;
  keyframeMs_ = context.nowMs;
  ring_.keepFrom(keyframe_);
  if (picture.hasParameters) preface_.clear();
  else preface_ = h264::buildStapA({sps_, pps_});
  for (Sink* sink : sinks_) sink->keyframeBegan(*this, context);
  context.events.push({EventType::Keyframe, handle_});
}

void Track::takeParameterSets(const h264::PayloadInfo& info, Context& context) {
  if (!info.pps.empty() && !sameBytes(pps_, info.pps)) pps_ = toVector(info.pps);
  if (info.sps.empty() || sameBytes(sps_, info.sps)) return;
  sps_ = toVector(info.sps);
  context.events.push({EventType::ParameterSet, handle_, 0, 0, false, sps_});
}

void Track::needKeyframe(Context& context) {
  if (neededMs_ >= 0 && context.nowMs - neededMs_ < kNeededIntervalMs) return;
  neededMs_ = context.nowMs;
  context.events.push({EventType::KeyframeNeeded, handle_});
}

}  // namespace rushlight
