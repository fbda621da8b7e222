// Detects streams with B-frames, whose pictures are sent in another order than they are shown.
#pragma once

namespace rushlight {

class ReorderMeter {
 public:
  // A frame began; `back` if it is shown before one that was sent earlier.
  void note(bool back) {
    score_ = score_ * 0.98 + (back ? 1 : 0);
    if (score_ > kCertain) reorders_ = true;
    if (score_ < kOver) reorders_ = false;
  }
  bool reorders() const { return reorders_; }

 private:
  static constexpr double kCertain = 5;
  static constexpr double kOver = 1;
  double score_ = 0;
  bool reorders_ = false;
};

}  // namespace rushlight
