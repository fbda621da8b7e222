// How much may be retransmitted to one viewer: a share of what was sent. Otherwise repairs would swamp a full link,
// lose more and be requested again. Loss up to about a fifth is repaired; beyond that, only less picture helps.
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

  // Takes the cost of a retransmission; false if not enough is left.
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
  // An outage is repaired up to this much of the stream.
  static constexpr double kOutageS = 0.5;
  static constexpr double kLeastOctets = 32 * 1024;
  double credit_ = kLeastOctets;
  // Octets sent, with older ones fading: at a steady rate, those of one second.
  double recent_ = 0;
  double atMs_ = 0;
};

}  // namespace rushlight
