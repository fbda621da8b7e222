// Maps a track's sequence numbers to those of one viewer. Packets left out on purpose leave no gap, so that the viewer
// does not request them; lost packets do.
#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

namespace rushlight {

class SequenceMap {
 public:
  explicit SequenceMap(int64_t first) : next_(first) {}

  // The viewer's number for the next new packet.
  int64_t next() const { return next_; }

  // From here on, track packet `track` follows the last one the viewer got, directly or after some from outside the track.
  void continueAt(int64_t track, int64_t extra = 0) {
    if (!segments_.empty()) segments_.back().to = std::min(segments_.back().to, next_);
    const int64_t first = next_ + extra;
    segments_.push_back({first, kOpen, first - track});
    if (segments_.size() > kMaxSegments) segments_.pop_front();
  }

  // Nothing if the packet lies before the viewer's start.
  std::optional<int64_t> toViewer(int64_t track) const {
    if (segments_.empty()) return std::nullopt;
    const int64_t viewer = track + segments_.back().offset;
    if (viewer < segments_.back().from) return std::nullopt;
    return viewer;
  }

  // The packet with this number was sent: what found no room leaves no gap if another start follows it.
  void sent(int64_t viewer) { next_ = std::max(next_, viewer + 1); }

  // The track's number of a packet that the viewer names; nothing if it was never sent or is forgotten.
  std::optional<int64_t> toTrack(int64_t viewer) const {
    if (viewer >= next_) return std::nullopt;
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
      if (viewer < segment->from) continue;
      if (viewer >= segment->to) return std::nullopt;
      return viewer - segment->offset;
    }
    return std::nullopt;
  }

 private:
  static constexpr size_t kMaxSegments = 16;
  static constexpr int64_t kOpen = std::numeric_limits<int64_t>::max();
  struct Segment {
    int64_t from;
    int64_t to;
    // Viewer's number minus track's number.
    int64_t offset;
  };

  std::deque<Segment> segments_;
  int64_t next_;
};

}  // namespace rushlight
