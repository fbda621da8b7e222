// One incoming stream: its part of receiver reports (RFC 3550, appendices A.3 and A.8), and which missing packets to
// request again (RFC 4585, section 3.5).
#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "rtcp.h"
#include "sequence.h"

namespace rushlight {

class ReceptionStats {
 public:
  ReceptionStats(uint32_t ssrc, uint32_t clockRate) : ssrc_(ssrc), clockRate_(clockRate) {}

  uint32_t ssrc() const { return ssrc_; }
  // Records a packet and returns its extended sequence number.
  int64_t arrived(uint16_t sequence, uint32_t timestamp, double nowMs);
  void noteSenderReport(uint32_t middle, double nowMs);
  int64_t lostTotal() const;
  // Packets sent, according to the sequence numbers.
  int64_t expectedTotal() const { return expected(); }
  // The next report; its fraction covers the time since the last call.
  rtcp::ReportBlock report(double nowMs);

 private:
  int64_t expected() const { return unwrapper_.highest() < 0 ? 0 : unwrapper_.highest() - base_ + 1; }

  uint32_t ssrc_;
  uint32_t clockRate_;
  SequenceUnwrapper unwrapper_;
  int64_t base_ = 0;
  int64_t received_ = 0;
  int64_t expectedBefore_ = 0;
  int64_t receivedBefore_ = 0;
  double jitter_ = 0;
  int32_t lastTransit_ = 0;
  uint32_t reportMiddle_ = 0;
  double reportMs_ = -1;
};

class NackGenerator {
 public:
  // Notes an arrival by extended number. True where it opened a gap, so that asking at once, or for a keyframe, makes sense.
  bool arrived(int64_t extended, double nowMs);
  // Numbers to request now, ascending.
  std::vector<uint16_t> due(double nowMs);
  size_t pending() const { return missing_.size(); }
  // True once after packets were lost for good: a picture cannot be repaired.
  bool takeAbandoned() { return std::exchange(abandoned_, false); }

 private:
  struct Missing {
    int tries = 0;
    double dueMs = 0;
  };
  std::map<int64_t, Missing> missing_;
  int64_t highest_ = -1;
  bool abandoned_ = false;
};

}  // namespace rushlight
