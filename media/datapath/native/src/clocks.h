// When a track's packets were captured, by the steady clock of this machine: wall clocks, ours and the publisher's, are set while pictures
// flow (a board without a battery starts in the past), and none of their steps may reach the time line.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "sequence.h"

namespace rushlight {

// Offset between the publisher's clock and ours; one for each publisher, so that its tracks share it.
class PublisherClock {
 public:
  // Our time for one of the publisher's. The first report sets the offset, and the first one after a clock was set.
  double toLocal(double publisherUnixMs, double nowMs) {
    const double offset = nowMs - publisherUnixMs;
    if (!offsetMs_ || std::abs(offset - *offsetMs_) > kStepMs) offsetMs_ = offset;
    return publisherUnixMs + *offsetMs_;
  }

 private:
  // No report is ever this late.
  static constexpr double kStepMs = 700;
  std::optional<double> offsetMs_;
};

// Times for sender reports to viewers, so that they play sound and picture of one publisher together.
class TrackClock {
 public:
  explicit TrackClock(uint32_t clockRate) : clockRate_(clockRate) {}

  // Without reports of the publisher, arrival times have to do.
  void noteArrival(uint32_t timestamp, double nowMs) {
    if (!exact_) reference_ = Reference{timestamp, nowMs};
  }
  // `timestamp` was captured at `atMs`; an implausible report is ignored.
  void noteReport(uint32_t timestamp, double atMs, double nowMs) {
    if (std::abs(nowMs - atMs) > kMaxAgeMs) return;
    exact_ = true;
    reference_ = Reference{timestamp, atMs};
  }
  // A new source: its first report has yet to arrive.
  void reset() { exact_ = false; }

  // The timestamp that the track has at a time; nothing before the first packet.
  std::optional<uint32_t> timestampAt(double nowMs) const {
    if (!reference_) return std::nullopt;
    const double elapsed = std::round((nowMs - reference_->atMs) * clockRate_ / 1000);
    return reference_->timestamp + static_cast<uint32_t>(static_cast<int64_t>(elapsed));
  }

 private:
  // Beyond this age a report is not about the time of capture.
  static constexpr double kMaxAgeMs = 60'000;
  struct Reference {
    uint32_t timestamp;
    double atMs;
  };
  uint32_t clockRate_;
  std::optional<Reference> reference_;
  bool exact_ = false;
};

// How long after capture frames arrive here, by the publisher's clock: a sender report states the wall-clock time of a
// timestamp (RFC 3550, section 6.4.1).
class CaptureDelay {
 public:
  explicit CaptureDelay(uint32_t clockRate) : clockRate_(clockRate) {}

  void noteReport(uint32_t timestamp, double unixMs) {
    report_ = Report{timestamp, unixMs};
  }

  // A packet arrived; a frame counts with its first one.
  void noteArrival(uint32_t timestamp, double unixMs) {
    const int32_t ahead = newest_ ? timestampDistance(*newest_, timestamp) : 1;
    const bool stepped = -static_cast<double>(ahead) / clockRate_ * 1000 > kStepMs;
    if (ahead <= 0 && !stepped) return;
    newest_ = timestamp;
    if (stepped) {
      report_.reset();
      count_ = 0;
    }
    if (!report_) return;
    const double sinceReportMs = static_cast<double>(timestampDistance(report_->timestamp, timestamp)) / clockRate_ * 1000;
    delays_[count_++ % kWindow] = unixMs - report_->unixMs - sinceReportMs;
  }

  // Median in milliseconds; nothing before the first report and the first frame after it, or if it is not plausible.
  std::optional<double> ms() const {
    const size_t known = std::min(count_, kWindow);
    if (known == 0) return std::nullopt;
    auto sorted = delays_;
    const auto middle = sorted.begin() + static_cast<ptrdiff_t>(known / 2);
    std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<ptrdiff_t>(known));
    if (std::abs(*middle) > kPlausibleMs) return std::nullopt;
    return std::round(*middle * 10) / 10;
  }

 private:
  // Number of frames for the median: a late one, such as a keyframe, does not affect it.
  static constexpr size_t kWindow = 61;
  // A frame that is this much older than the last one belongs to another time line.
  static constexpr double kStepMs = 1000;
  // Beyond this a report is not about capture times.
  static constexpr double kPlausibleMs = 60'000;
  struct Report {
    uint32_t timestamp;
    double unixMs;
  };
  uint32_t clockRate_;
  std::optional<Report> report_;
  std::optional<uint32_t> newest_;
  std::array<double, kWindow> delays_{};
  size_t count_ = 0;
};

}  // namespace rushlight
