// The sender of a feed's packets: a WebRTC publisher or a capture pipeline of this machine. Receives them, requests
// lost ones again, and gives the feedback a sender needs.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>

#include "clocks.h"
#include "context.h"
#include "reception.h"
#include "rtcp.h"
#include "source-guard.h"
#include "track.h"
#include "transport-arrivals.h"

namespace rushlight {

class Session;

// How the packets of a publisher name the section of its description that they belong to (RFC 9143, section 15).
struct SectionNames {
  // Number of the header extension that carries the name (MID); -1 if it sends none.
  int midExtension = -1;
  std::string video;
  // Empty if no sound was agreed on.
  std::string audio;
};

struct SourceOptions {
  Handle handle = 0;
  // Of a session's streams; an ingest has a port for each instead.
  int videoPayloadType = -1;
  int audioPayloadType = -1;
  // Of retransmissions of the picture (RFC 4588); -1 if it sends them unchanged.
  int repairPayloadType = -1;
  // It accepts feedback without a report before it (RFC 5506); some senders ignore everything after one.
  bool reducedSize = false;
  // A browser raises its bit rate up to its receiver's estimate: this one.
  uint64_t maxBitsPerSecond = 0;
  // Sender reports state the capture time by this machine's clock, not the sending time.
  bool tellsCaptureTime = false;
  SectionNames sections;
  // Number of the header extension that numbers all packets of its connection; -1 if it takes no transport-wide feedback.
  int transportExtension = -1;
  // It is one of several that its publisher sends at once, and will be named.
  bool layered = false;
};

// For a publisher that sends several layers at once: how its packets name theirs (RFC 8852). Extension numbers are -1 if
// there are none.
struct LayerNames {
  std::string rid;
  int ridExtension = -1;
  int repairedRidExtension = -1;
};

class Source final : private rtcp::Handler {
 public:
  // `session` is null for an ingest.
  Source(SourceOptions options, Track* video, Track* audio, Session* session);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  Handle handle() const { return options_.handle; }
  void trackGone(const Track* track);
  void sessionGone() { session_ = nullptr; }

  // From now on accepts one layer only. The session's source is that of the full layer, which passes the small one its packets.
  void nameLayer(LayerNames names, Source* full, Context& context);

  // An authentic packet of the session.
  void receiveRtp(View packet, Context& context);
  // A datagram at an ingest's port.
  void receiveIngest(Kind kind, View datagram, Context& context);
  void takeSenderReport(const rtcp::SenderReport& report, Context& context);
  void requestKeyframe(Context& context);
  // Requests missing packets; returns when it wants to be called again, or -1.
  double askAgain(Context& context);
  // Called ten times a second: says when packets arrived, and reports once a second.
  void tick(Context& context);

  int64_t packetsLost() const { return video_.lostBefore + (video_.stats ? video_.stats->lostTotal() : 0); }
  // Packets of the picture that were sent, including lost ones.
  int64_t packetsExpected() const { return video_.expectedBefore + (video_.stats ? video_.stats->expectedTotal() : 0); }
  std::optional<double> captureDelayMs() const;
  // Of any packet; -1 before the first.
  double lastPacketMs() const { return lastPacketMs_; }
  double nackDueMs = -1;

 private:
  struct Incoming {
    Track* track = nullptr;
    // Of the newest SSRC; nothing before the first packet.
    std::optional<ReceptionStats> stats;
    int64_t lostBefore = 0;
    int64_t expectedBefore = 0;
    SourceGuard guard;
    // Of an ingest: the newest one, which may arrive before the first packet it describes.
    std::optional<rtcp::SenderReport> report;
  };

  enum class Section : uint8_t { None, Video, Audio, Other };

  void receive(const RtpPacket& packet, Kind kind, Context& context);
  Section namedSection(const RtpPacket& packet, View datagram);
  std::optional<Kind> kindOf(const RtpPacket& packet, View datagram);
  Source* layerOf(const RtpPacket& packet, View datagram);
  void receiveRepair(const RtpPacket& repair, Context& context);
  void admit(Incoming& incoming, const RtpPacket& packet, Context& context);
  void take(Incoming& incoming, const RtpPacket& packet, bool begins, Context& context);
  void openStats(Incoming& incoming, uint32_t ssrc, Context& context);
  void noteReport(Incoming& incoming, const rtcp::SenderReport& report, Context& context);
  // Usually comes before feedback.
  rtcp::Builder feedback() const;
  void noteArrival(View datagram, Context& context);
  void sendArrivals(Context& context);
  void send(const rtcp::Builder& compound, Context& context);

  void onSenderReport(const rtcp::SenderReport& report) override;
  void onReportBlock(const rtcp::ReportBlock&) override {}
  void onNack(uint32_t, const std::vector<uint16_t>&) override {}
  void onKeyframeRequest(uint32_t) override {}
  void onReferenceTime(const rtcp::ReferenceTime&) override {}
  void onBye(uint32_t) override {}

  SourceOptions options_;
  Session* session_;
  std::optional<LayerNames> names_;
  // The other layer of the same publisher.
  Source* full_ = nullptr;
  Source* small_ = nullptr;
  // The names of the publisher's SSRCs, which may come at their beginning only.
  std::unordered_map<uint32_t, std::string> rids_;
  size_t unnamed_ = 0;
  std::unordered_map<uint32_t, Section> sections_;
  Incoming video_;
  Incoming audio_;
  uint32_t ssrc_;
  PublisherClock clock_;
  CaptureDelay captureDelay_{kVideoClockHz};
  NackGenerator nacks_;
  TransportArrivals arrivals_;
  double lastPacketMs_ = -1;
  double feedbackMs_ = -1;
  // While an ingest's reports are read.
  Incoming* reportsOf_ = nullptr;
  Context* reportContext_ = nullptr;
};

}  // namespace rushlight
