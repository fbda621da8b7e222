// Distinguishes a vanished peer from a quiet one. Browsers send something every second or two, others check their path
// every 15 s and send no reports: the normal interval of each peer is learnt.
#pragma once
#include <algorithm>

namespace rushlight {

class Silence {
 public:
  // `goneMs` is the shortest silence after which a peer may be given up; exactly that if it answers checks of ours.
  Silence(double goneMs, bool answersChecks) : goneMs_(goneMs), answersChecks_(answersChecks) {}

  // -1 before the first sign of life.
  double lastMs() const { return lastMs_; }

  // Something authentic from the peer arrived.
  void heard(double nowMs) {
    if (firstMs_ < 0) firstMs_ = nowMs;
    if (lastMs_ >= 0) longestPauseMs_ = std::max(longestPauseMs_, nowMs - lastMs_);
    lastMs_ = nowMs;
    signs_++;
  }

  // The connection is established: the traffic during its setup says nothing about what follows.
  void connected(double nowMs) {
    firstMs_ = lastMs_ = nowMs;
    longestPauseMs_ = 0;
    signs_ = 0;
  }

  // Quieter than ever before: whatever is sent now probably reaches nobody.
  bool isQuiet(double nowMs) const {
    return lastMs_ >= 0 && isKnown() && nowMs - lastMs_ > std::max(kQuietMs, 1.5 * longestPauseMs_);
  }

  // The peer counts as gone.
  bool isGone(double nowMs) const {
    if (lastMs_ < 0) return false;
    if (answersChecks_) return nowMs - lastMs_ > goneMs_;
    const double usual = std::min(kLongestLimitMs, 2.5 * longestPauseMs_);
    return nowMs - lastMs_ > std::max(isKnown() ? goneMs_ : kUnknownFactor * goneMs_, usual);
  }

 private:
  // A peer of which little is known yet gets longer: the quietest known client (libjuice) sends something every 15 s.
  static constexpr double kUnknownFactor = 2;
  static constexpr double kLongestLimitMs = 40'000;
  static constexpr double kQuietMs = 4000;
  // Everybody talks while a connection is being made: a peer's habits show later.
  static constexpr int kEnoughSigns = 5;

  bool isKnown() const { return signs_ >= kEnoughSigns && lastMs_ - firstMs_ >= goneMs_; }

  double goneMs_;
  bool answersChecks_;
  double firstMs_ = -1;
  double lastMs_ = -1;
  double longestPauseMs_ = 0;
  int signs_ = 0;
};

}  // namespace rushlight
