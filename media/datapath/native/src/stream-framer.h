// Finds the datagrams in what comes by a TCP connection: each follows its length (RFC 4571).
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "bytes.h"

namespace rushlight {

class StreamFramer {
 public:
  explicit StreamFramer(size_t longest) : longest_(longest) {}

  // Hands each whole datagram to `take`, which says whether to go on. False where that stopped, or one is too long.
  template <typename Take>
  bool feed(View bytes, Take take) {
    while (!bytes.empty()) {
      if (partial_.empty() && bytes.size() >= kLengthBytes) {
        const size_t length = read16(bytes.data());
        if (length > longest_) return false;
        if (bytes.size() >= kLengthBytes + length) {
          const View whole = bytes.subspan(kLengthBytes, length);
          bytes = bytes.subspan(kLengthBytes + length);
          if (length > 0 && !take(whole)) return false;
          continue;
        }
      }
      keep(bytes);
      if (partial_.size() < kLengthBytes) continue;
      const size_t length = read16(partial_.data());
      if (length > longest_) return false;
      if (partial_.size() < kLengthBytes + length) continue;
      const std::vector<uint8_t> whole = std::exchange(partial_, {});
      if (length > 0 && !take(View(whole).subspan(kLengthBytes))) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kLengthBytes = 2;

  // Takes what the length, or else the datagram, still lacks.
  void keep(View& bytes) {
    const size_t wanted = partial_.size() < kLengthBytes ? kLengthBytes : kLengthBytes + read16(partial_.data());
    const size_t taken = std::min(bytes.size(), wanted - partial_.size());
    partial_.insert(partial_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
  }

  size_t longest_;
  // The beginning of a datagram whose rest is on its way.
  std::vector<uint8_t> partial_;
};

}  // namespace rushlight
