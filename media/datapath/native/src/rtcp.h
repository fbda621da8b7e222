// RTCP as an SFU reads and writes it (RFC 3550 section 6, RFC 3611 sections 4.4 and 4.5, RFC 4585 section 6, RFC 5104 section 4.3.1).
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"

namespace rushlight::rtcp {

struct ReportBlock {
  uint32_t ssrc = 0;
  // In 1/256.
  uint8_t fractionLost = 0;
  int32_t lostTotal = 0;
  uint32_t highestSequence = 0;
  uint32_t jitter = 0;
  // Middle 32 bits of the last sender report's NTP time; 0 if there was none.
  uint32_t lastReport = 0;
  // Since that report, in 1/65536 s.
  uint32_t delaySinceLastReport = 0;
};

struct SenderReport {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;
  uint32_t rtpTimestamp = 0;
  uint32_t packets = 0;
  uint32_t octets = 0;
};

// The clock of a receiver.
struct ReferenceTime {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;
};

// How long ago such a time arrived: the receiver subtracts this from what has passed, and has its round trip.
struct ReferenceEcho {
  uint32_t ssrc = 0;
  // Middle 32 bits of its time.
  uint32_t lastReference = 0;
  // In 1/65536 s.
  uint32_t delay = 0;
};

// When packets of a connection arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01).
struct TransportFeedback {
  // Counts the messages.
  uint8_t count = 0;
  // Number of the first packet.
  uint16_t first = 0;
  // 24 bit, in units of 64 ms.
  uint32_t reference = 0;
  // Of the first packet and those after it, in 1/4 ms since the reference time; nothing if it has not arrived. Two in a row are
  // less than 8 s apart.
  std::vector<std::optional<int32_t>> arrivals;
};

// Receives the parts of a compound packet.
class Handler {
 public:
  virtual void onSenderReport(const SenderReport& report) = 0;
  virtual void onReportBlock(const ReportBlock& report) = 0;
  virtual void onNack(uint32_t mediaSsrc, const std::vector<uint16_t>& lost) = 0;
  // PLI or FIR.
  virtual void onKeyframeRequest(uint32_t mediaSsrc) = 0;
  virtual void onReferenceTime(const ReferenceTime& time) = 0;
  virtual void onBye(uint32_t ssrc) = 0;

 protected:
  ~Handler() = default;
};

// Reads a compound packet up to its first malformed part.
void parse(View compound, Handler& handler);

// A compound packet under construction.
class Builder {
 public:
  void senderReport(const SenderReport& report);
  void receiverReport(uint32_t ssrc, const std::vector<ReportBlock>& reports);
  // SDES with only the canonical name, which every compound packet carries (RFC 3550, section 6.1).
  void canonicalName(uint32_t ssrc, const std::string& name);
  // Generic NACK. `lost` is in ascending order.
  void nack(uint32_t senderSsrc, uint32_t mediaSsrc, const std::vector<uint16_t>& lost);
  void pictureLoss(uint32_t senderSsrc, uint32_t mediaSsrc);
  // Receiver Estimated Maximum Bitrate (draft-alvestrand-rmcat-remb-03).
  void remb(uint32_t senderSsrc, uint64_t bitsPerSecond, const std::vector<uint32_t>& ssrcs);
  // The last one of its compound, because it may be padded.
  void transportFeedback(uint32_t senderSsrc, uint32_t mediaSsrc, const TransportFeedback& feedback);
  void referenceEchoes(uint32_t ssrc, const std::vector<ReferenceEcho>& echoes);
  View bytes() const { return bytes_; }

 private:
  // Appends a packet of zeros with its header; returns its start.
  uint8_t* append(uint8_t type, size_t count, size_t bytes);
  std::vector<uint8_t> bytes_;
};

// NTP timestamps: seconds since 1900 and 1/2^32 s.
uint64_t ntpOfUnixMs(double unixMs);
double unixMsOfNtp(uint64_t ntp);
// Receiver reports identify the sender report they answer by this.
inline uint32_t middleOfNtp(uint64_t ntp) { return static_cast<uint32_t>(ntp >> 16); }

}  // namespace rushlight::rtcp
