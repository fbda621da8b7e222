// Arithmetic on RTP sequence numbers (16 bit) and timestamps (32 bit), which wrap (RFC 3550, appendix A.1). Extended
// numbers count on without wrapping.
#pragma once
#include <cstdint>

namespace rushlight {

inline int32_t sequenceDistance(uint16_t from, uint16_t to) { return static_cast<int16_t>(to - from); }

inline int32_t timestampDistance(uint32_t from, uint32_t to) { return static_cast<int32_t>(to - from); }

// The most likely extended number for `sequence`, given one near it.
inline int64_t extendSequence(uint16_t sequence, int64_t near) {
  return near + sequenceDistance(static_cast<uint16_t>(near), sequence);
}

// Follows the numbers of one stream across wraps; reordered packets get their true place.
class SequenceUnwrapper {
 public:
  // The first one counts from 65536, so that packets late at the start stay positive.
  int64_t unwrap(uint16_t sequence) {
    if (highest_ < 0) return highest_ = 0x10000 + sequence;
    const int64_t extended = extendSequence(sequence, highest_);
    if (extended > highest_) highest_ = extended;
    return extended;
  }
  // -1 before the first.
  int64_t highest() const { return highest_; }

 private:
  int64_t highest_ = -1;
};

}  // namespace rushlight
