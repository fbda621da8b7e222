// Turns the packets of successive sources (a publisher that reconnects, an ffmpeg that restarts) into one stream with
// continuous sequence numbers and timestamps, so that viewers need no renegotiation.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "sequence.h"

namespace rushlight {

// A packet's place in the feed's own numbering.
struct Place {
  int64_t sequence = 0;
  uint32_t timestamp = 0;
  // Numbers reserved for a late packet: the publisher's oversize packets become several.
  int width = 1;
  bool late = false;
  // The source's timestamps jumped: its earlier reports are no longer valid.
  bool stepped = false;
};

class StreamNormalizer {
 public:
  StreamNormalizer(uint32_t clockRate, int64_t firstSequence, uint32_t firstTimestamp)
      : clockRate_(clockRate), next_(firstSequence), lastTimestamp_(firstTimestamp) {}

  bool hasSource() const { return hasSource_; }
  // True if the packet belongs to the current source.
  bool continues(uint32_t ssrc, uint16_t sequence) const;
  // A new source begins with this packet, which is placed next.
  void begin(uint32_t ssrc, uint16_t sequence, uint32_t timestamp, double nowMs);
  // Place of a packet of the current source that becomes `pieces`; nothing if it came before or is too old.
  std::optional<Place> place(uint16_t sequence, uint32_t timestamp, int pieces, double nowMs);
  // The feed's timestamp of a source's; nothing where that does not belong to the present source and its time line.
  std::optional<uint32_t> timestampOf(uint32_t ssrc, uint32_t timestamp, double nowMs) const;
  // The next packet is the first of a new source, even under the old SSRC.
  void endSource() { hasSource_ = false; }

 private:
  struct Missing {
    int64_t extended;
    int64_t placed;
    int width;
  };
  struct Line {
    uint32_t offset;
    uint32_t first;
  };
  Place placeNewest(uint32_t timestamp, int pieces, double nowMs);
  uint32_t onTimeLine(uint32_t timestamp, double nowMs, bool& stepped);
  uint32_t resumedAt(double nowMs) const;

  uint32_t clockRate_;
  int64_t next_;
  uint32_t lastTimestamp_;
  double lastAtMs_ = -1;
  bool hasSource_ = false;
  uint32_t ssrc_ = 0;
  SequenceUnwrapper unwrapper_;
  uint32_t offset_ = 0;
  // Another time line that some packets are on; adopted once a second picture is on it.
  std::optional<Line> other_;
  std::deque<Missing> missing_;
  int widest_ = 1;
};

}  // namespace rushlight
