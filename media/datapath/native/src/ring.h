// The shared memory of a track: its newest packets in plaintext, by sequence number. It keeps at least the newest
// complete group of pictures and what viewers may still request again, up to a limit in bytes.
#pragma once
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "bytes.h"

namespace rushlight {

struct StoredPacket {
  int64_t sequence = -1;
  double arrivalMs = 0;
  uint32_t timestamp = 0;
  uint32_t length = 0;
  const uint8_t* payload = nullptr;
  bool marker = false;

  View view() const { return {payload, length}; }
};

class PacketRing {
 public:
  explicit PacketRing(size_t maxBytes);

  // -1 while empty.
  int64_t head() const { return head_; }
  // The oldest sequence number that may still be here.
  int64_t tail() const { return tail_; }
  size_t bytes() const { return bytes_; }

  // Stores a copy of `head` followed by `body`. False if the packet is too old or already known.
  bool put(int64_t sequence, uint32_t timestamp, bool marker, View head, View body, double nowMs);
  // Null if it is missing.
  const StoredPacket* get(int64_t sequence) const;
  // Packets before `sequence` are dropped once they are too old to be requested again.
  void keepFrom(int64_t sequence) { keepFrom_ = sequence; }

 private:
  // Packets share chunks, and a chunk counts the packets still in it.
  struct Chunk {
    std::unique_ptr<uint8_t[]> data;
    size_t size = 0;
    size_t used = 0;
    uint32_t packets = 0;
  };
  struct Slot {
    StoredPacket packet;
    Chunk* chunk = nullptr;
  };

  Slot& slot(int64_t sequence) { return slots_[static_cast<size_t>(sequence) & (slots_.size() - 1)]; }
  const Slot& slot(int64_t sequence) const { return slots_[static_cast<size_t>(sequence) & (slots_.size() - 1)]; }
  Chunk* roomFor(size_t bytes);
  void grow();
  void dropTail();
  void evict(double nowMs);

  std::vector<Slot> slots_;
  std::deque<Chunk> chunks_;
  std::unique_ptr<uint8_t[]> spare_;
  size_t maxBytes_;
  size_t bytes_ = 0;
  int64_t head_ = -1;
  int64_t tail_ = 0;
  int64_t keepFrom_ = std::numeric_limits<int64_t>::max();
};

}  // namespace rushlight
