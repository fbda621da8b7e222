// Rejects packets seen before and packets too old to tell (RFC 3711, section 3.3.2).
#pragma once
#include <bitset>
#include <cstdint>
#include <unordered_map>

namespace rushlight {

template <size_t Size>
class ReplayWindow {
 public:
  ReplayWindow() = default;
  // Indices up to `seen` count as seen.
  explicit ReplayWindow(int64_t seen) : highest_(seen) { seen_.set(); }

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

// The windows of a peer's streams, by SSRC. Of too many the one that was quiet for the longest time makes room; its highest index is
// kept, so that nothing of it can be replayed.
template <size_t Size>
class ReplayWindows {
 public:
  struct Stream {
    ReplayWindow<Size> window;
    double lastMs = 0;
  };

  // Null where the stream is not open.
  Stream* find(uint32_t ssrc) {
    const auto known = open_.find(ssrc);
    return known == open_.end() ? nullptr : &known->second;
  }
  // What a stream that is not open would begin with.
  Stream fresh(uint32_t ssrc) const {
    const auto known = retired_.find(ssrc);
    return {ReplayWindow<Size>(known == retired_.end() ? -1 : known->second)};
  }
  // False where no more can be told apart.
  bool mayOpen(uint32_t ssrc) const { return retired_.size() < kMaxRetired || retired_.contains(ssrc); }
  // An authentic packet of a stream came that was not open.
  void open(uint32_t ssrc, const Stream& stream) {
    retired_.erase(ssrc);
    if (open_.size() >= kMaxOpen) retireStalest();
    open_.emplace(ssrc, stream);
  }

 private:
  // More than any peer sends at once; bounds what a peer can make us remember.
  static constexpr size_t kMaxOpen = 32;
  static constexpr size_t kMaxRetired = 1024;

  void retireStalest() {
    auto stalest = open_.begin();
    for (auto one = open_.begin(); one != open_.end(); ++one) {
      if (one->second.lastMs < stalest->second.lastMs) stalest = one;
    }
    retired_.emplace(stalest->first, stalest->second.window.highest());
    open_.erase(stalest);
  }

  std::unordered_map<uint32_t, Stream> open_;
  std::unordered_map<uint32_t, int64_t> retired_;
};

}  // namespace rushlight
