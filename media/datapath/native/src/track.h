// A track of a feed: one continuous stream from successive sources, with its known keyframes.
#pragma once
#include <memory>
#include <optional>

#include "clocks.h"
#include "context.h"
#include "normalizer.h"
#include "reorder-meter.h"
#include "ring.h"
#include "rtp.h"
#include "video-payload.h"

namespace rushlight {

class Sink;

enum class Kind : uint8_t { Video, Audio };

inline constexpr uint32_t kVideoClockHz = 90'000;

class Track {
 public:
  Track(Handle handle, Kind kind, uint32_t clockRate);
  ~Track();
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;

  void write(const RtpPacket& packet, Context& context);
  // The next packet is the first of a new source, whatever it contains.
  void endSource() { normalizer_.endSource(); }
  // The same, and the parameter sets it needs are yet unknown.
  void beginSource();
  // Parameter sets that the publisher gave in its SDP.
  void setParameterSet(View nal, Context& context);

  Handle handle() const { return handle_; }
  Kind kind() const { return kind_; }
  uint32_t clockRate() const { return clockRate_; }
  const PacketRing& ring() const { return ring_; }
  StreamNormalizer& normalizer() { return normalizer_; }
  TrackClock& clock() { return clock_; }
  // Start of the newest remembered keyframe; -1 if there is none.
  int64_t keyframe() const { return keyframe_ >= ring_.tail() ? keyframe_ : -1; }
  double keyframeMs() const { return keyframeMs_; }
  // What else decoding from that keyframe needs; empty if it brings everything.
  View preface() const { return preface_; }
  uint64_t frames() const { return frames_; }
  uint64_t octets() const { return octets_; }
  // Of the newest picture's first packet; -1 before the first.
  double lastFrameMs() const { return lastFrameMs_; }
  // Frames are sent in another order than they are shown.
  bool reorders() const { return order_.reorders(); }

  void add(Sink* sink) { sinks_.push_back(sink); }
  void remove(Sink* sink);
  const std::vector<Sink*>& sinks() const { return sinks_; }
  bool dirty = false;
  // Arrival of the first packet that viewers have not received yet.
  double dirtySinceMs = 0;

 private:
  // The picture whose packets are arriving.
  struct Picture {
    uint32_t timestamp = 0;
    int64_t start = 0;
    bool counted = false;
    bool marked = false;
    bool hasParameters = false;
  };
  void forward(const RtpPacket& packet, const PayloadInfo& info, Context& context);
  void store(const Place& place, int piece, bool marker, const Piece& content, Context& context);
  void followPicture(const Place& place, const PayloadInfo& info, Context& context);
  void markKeyframe(Picture& picture, Context& context);
  void recognise(View payload);
  void forgetParameterSets();
  bool canDecode() const;
  void takeParameterSets(const PayloadInfo& info, Context& context);
  void needKeyframe(Context& context);

  Handle handle_;
  Kind kind_;
  uint32_t clockRate_;
  PacketRing ring_;
  StreamNormalizer normalizer_;
  TrackClock clock_;
  std::vector<Sink*> sinks_;
  std::optional<Picture> picture_;
  ReorderMeter order_;
  std::vector<Piece> pieces_;
  // Of the present source.
  Codec codec_ = Codec::H264;
  // H.265 alone.
  std::vector<uint8_t> vps_;
  std::vector<uint8_t> sps_;
  std::vector<uint8_t> pps_;
  std::vector<uint8_t> preface_;
  int64_t keyframe_ = -1;
  double keyframeMs_ = -1;
  double neededMs_ = -1;
  double lastFrameMs_ = -1;
  uint64_t frames_ = 0;
  uint64_t octets_ = 0;
};

}  // namespace rushlight
