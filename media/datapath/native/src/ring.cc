#include "ring.h"

#include <algorithm>

namespace rushlight {

namespace {

constexpr size_t kChunkBytes = 64 * 1024;
constexpr size_t kFirstSlots = 256;
// Viewers name packets by 16-bit numbers: more than half of them would be ambiguous.
constexpr int64_t kMaxSpan = 32'000;
// Longer than any viewer's round trips and its patience.
constexpr double kHistoryMs = 1500;

}  // namespace

PacketRing::PacketRing(size_t maxBytes) : slots_(kFirstSlots), maxBytes_(maxBytes) {}

bool PacketRing::put(int64_t sequence, uint32_t timestamp, bool marker, View head, View body, double nowMs) {
  if (sequence < 0) return false;
  if (head_ < 0) tail_ = sequence;
  else if (sequence < tail_ || get(sequence) != nullptr) return false;
  // A larger jump starts over.
  if (head_ >= 0 && sequence - head_ > kMaxSpan) {
    while (tail_ <= head_) dropTail();
    tail_ = sequence;
  }
  while (sequence - tail_ >= kMaxSpan) dropTail();
  while (sequence - tail_ >= static_cast<int64_t>(slots_.size())) grow();
  const size_t bytes = head.size() + body.size();
  Chunk* chunk = roomFor(bytes);
  uint8_t* at = chunk->data.get() + chunk->used;
  copyBytes(at, head.data(), head.size());
  copyBytes(at + head.size(), body.data(), body.size());
  chunk->used += bytes;
  chunk->packets++;
  Slot& place = slot(sequence);
  place.packet = {sequence, nowMs, timestamp, static_cast<uint32_t>(bytes), at, marker};
  place.chunk = chunk;
  bytes_ += bytes;
  head_ = std::max(head_, sequence);
  evict(nowMs);
  return true;
}

const StoredPacket* PacketRing::get(int64_t sequence) const {
  const StoredPacket& packet = slot(sequence).packet;
  return packet.sequence == sequence && sequence >= tail_ ? &packet : nullptr;
}

PacketRing::Chunk* PacketRing::roomFor(size_t bytes) {
  if (!chunks_.empty() && chunks_.back().size - chunks_.back().used >= bytes) return &chunks_.back();
  Chunk chunk;
  chunk.size = std::max(kChunkBytes, bytes);
  if (spare_ != nullptr && chunk.size == kChunkBytes) chunk.data = std::move(spare_);
  else chunk.data = std::make_unique_for_overwrite<uint8_t[]>(chunk.size);
  // A deque does not move its elements when it grows or shrinks at its ends.
  chunks_.push_back(std::move(chunk));
  return &chunks_.back();
}

void PacketRing::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (Slot& moved : old) {
    if (moved.packet.sequence >= tail_) slot(moved.packet.sequence) = moved;
  }
}

void PacketRing::dropTail() {
  Slot& oldest = slot(tail_);
  if (oldest.packet.sequence == tail_) {
    bytes_ -= oldest.packet.length;
    oldest.chunk->packets--;
    oldest = {};
  }
  tail_++;
  while (chunks_.size() > 1 && chunks_.front().packets == 0) {
    if (chunks_.front().size == kChunkBytes) spare_ = std::move(chunks_.front().data);
    chunks_.pop_front();
  }
}

void PacketRing::evict(double nowMs) {
  while (tail_ < head_) {
    const StoredPacket* oldest = get(tail_);
    const bool old = oldest == nullptr || nowMs - oldest->arrivalMs > kHistoryMs;
    const bool spent = old && (tail_ < keepFrom_);
    if (bytes_ <= maxBytes_ && !spent) return;
    dropTail();
  }
}

}  // namespace rushlight
