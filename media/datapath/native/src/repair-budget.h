// How much may be sent again to one viewer: a share of what was sent, or repairs would swamp a link that is full, lose
// more and be asked for again. Loss up to about a fifth is mended; beyond, only less picture helps.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>

namespace rushlight {

class RepairBudget {
 public:
  // Something was sent for the first time.
  void earn(size_t octets, double nowMs) {
    recent_ = recent_ * std::exp((atMs_ - nowMs) / 1000) + static_cast<double>(octets);
    atMs_ = nowMs;
    const double most = std::max(kLeastOctets, recent_ * kOutageS);
    credit_ = std::min(most, credit_ + static_cast<double>(octets) * kShare);
  }

  // Takes what a repetition costs; false where there is not enough left.
  bool spend(size_t octets) {
    if (static_cast<double>(octets) > credit_) return false;
    credit_ -= static_cast<double>(octets);
    return true;
  }

  // The same for what is of use and not needed: takes nothing from a reserve for more losses.
  bool spendSpare(size_t octets) { return credit_ - static_cast<double>(octets) >= kLeastOctets / 2 && spend(octets); }

 private:
  // Part of the octets sent that may be sent once more.
  static constexpr double kShare = 0.3;
  // What an outage swallows is mended up to this much of the stream.
  static constexpr double kOutageS = 0.5;
  static constexpr double kLeastOctets = 32 * 1024;
  double credit_ = kLeastOctets;
  // Octets sent, older ones counting ever less: at a steady rate those of one second.
  double recent_ = 0;
  double atMs_ = 0;
};

}  // namespace rushlight
