// Events from the datapath's thread to JavaScript, through one bounded queue.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "bytes.h"
#include "handles.h"
#include "queue.h"

namespace rushlight {

// The numbers are the protocol with native-binding.ts.
enum class EventType : uint8_t {
  // A session has its keys.
  Connected = 0,
  // A handshake failed; the reason, as text.
  DtlsFailed = 1,
  // A keyframe of a track begins.
  Keyframe = 2,
  // A track has a source without a first keyframe or parameter sets.
  KeyframeNeeded = 3,
  // A picture of a track, after a pause.
  Picture = 4,
  // A sequence parameter set that differs from the last one.
  ParameterSet = 5,
  // A viewer needs a keyframe.
  ViewerNeedsKeyframe = 6,
  // Packets of a publisher are lost for good.
  SourceNeedsKeyframe = 7,
  // A packet for a reader within this process.
  Tap = 8,
  // A publisher's first picture packet, or its first under another SSRC.
  SourceBegan = 9,
  // The peer closed the connection.
  PeerLeft = 10,
};

struct Event {
  EventType type{};
  Handle handle = 0;
  // Tap: sequence number, timestamp, marker.
  double number = 0;
  uint32_t timestamp = 0;
  bool marker = false;
  std::vector<uint8_t> bytes;
};

class EventQueue {
 public:
  // The last places are `reserved` for events that a session cannot do without, whatever others send.
  explicit EventQueue(size_t capacity = kCapacity, size_t reserved = kVital) : queue_(capacity), reserved_(reserved) {}

  // False if it is full.
  bool push(Event event) {
    pending_ = true;
    const bool vital = event.type == EventType::Connected || event.type == EventType::DtlsFailed || event.type == EventType::PeerLeft;
    if ((vital || queue_.size() < queue_.capacity() - reserved_) && queue_.push(event)) return true;
    dropped_++;
    return false;
  }
  // Frequent events leave room for the rest.
  bool roomForBulk() const { return queue_.size() < queue_.capacity() / 2; }
  std::optional<Event> pop() { return queue_.pop(); }
  // True once after something was pushed.
  bool takePending() { return std::exchange(pending_, false); }
  uint64_t dropped() const { return dropped_; }

 private:
  static constexpr size_t kCapacity = 4096;
  // More than sessions that end at once.
  static constexpr size_t kVital = 1024;
  Queue<Event> queue_;
  size_t reserved_;
  bool pending_ = false;
  uint64_t dropped_ = 0;
};

}  // namespace rushlight
