// Rejects packets seen before and packets too old to tell (RFC 3711, section 3.3.2).
#pragma once
#include <bitset>
#include <cstdint>

namespace rushlight {

template <size_t Size>
class ReplayWindow {
 public:
  // True if `index` is acceptable; does not record it.
  bool admits(int64_t index) const {
    if (index < 0 || index <= highest_ - static_cast<int64_t>(Size)) return false;
    return index > highest_ || !seen_[static_cast<size_t>(index) % Size];
  }

  // Records an authenticated index.
  void accept(int64_t index) {
    if (index > highest_) {
      const int64_t ahead = index - highest_;
      if (highest_ < 0 || ahead >= static_cast<int64_t>(Size)) seen_.reset();
      else for (int64_t skipped = highest_ + 1; skipped < index; skipped++) seen_.reset(static_cast<size_t>(skipped) % Size);
      highest_ = index;
    }
    seen_.set(static_cast<size_t>(index) % Size);
  }

  // -1 before the first.
  int64_t highest() const { return highest_; }

 private:
  std::bitset<Size> seen_;
  int64_t highest_ = -1;
};

}  // namespace rushlight
