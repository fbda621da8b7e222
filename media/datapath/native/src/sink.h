// A track on its way to one viewer, in that viewer's own sequence numbers, or to a reader within this process.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>

#include "context.h"
#include "repair-budget.h"
#include "rtcp.h"
#include "sequence-map.h"
#include "track.h"

namespace rushlight {

class Session;

struct SinkOptions {
  Handle handle = 0;
  uint32_t ssrc = 0;
  uint8_t payloadType = 0;
  // Never waits for a keyframe after too much loss: its loss measures what the path carries.
  bool steady = false;
  std::string cname;
  // Separate stream for retransmissions (RFC 4588); 0 if they are sent as they were.
  uint32_t repairSsrc = 0;
  uint8_t repairPayloadType = 0;
};

struct SinkStats {
  uint64_t packets = 0;
  // Payload octets, as counted in sender reports.
  uint64_t octets = 0;
  uint64_t retransmitted = 0;
  uint64_t retransmittedOctets = 0;
  uint64_t retransmitsRefused = 0;
  uint64_t skippedFrames = 0;
  // Since the last receiver report, and the round trip; -1 before the first.
  double lossRatio = -1;
  double rttMs = -1;
};

class Sink {
 public:
  // `session` is null for a reader within this process, whose packets become events.
  Sink(SinkOptions options, Track* track, Session* session);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  Handle handle() const { return options_.handle; }
  uint32_t ssrc() const { return options_.ssrc; }
  // Null for a reader within this process.
  Session* session() const { return session_; }
  const SinkStats& stats() const { return stats_; }
  bool isVideo() const { return track_ != nullptr && track_->kind() == Kind::Video; }
  void trackGone(const Track* track);
  void sessionGone() { session_ = nullptr; closed_ = true; }

  // Starts with the remembered keyframe if it is at most `freshMs` old. Otherwise requests a new one and waits for it
  // for `patienceMs`; then the old one has to do. Audio starts with the next packet.
  void join(double freshMs, double patienceMs, Context& context);
  // Sends nothing until the next start.
  void pause(Context& context);
  // Changes to another layer of the same picture, in the viewer's own numbers and time: at once if it sends nothing, or with
  // that layer's remembered keyframe if it is at most `freshMs` old. Otherwise with its next one, or after `patienceMs` with
  // the remembered one; until then the current layer continues.
  void moveTo(Track* track, double freshMs, double patienceMs, Context& context);
  // A keyframe of one of its tracks begins.
  void keyframeBegan(const Track& track, Context& context);
  // A packet arrived that lies before the newest.
  void offerLate(const Track& track, int64_t sequence, Context& context);
  // Packets that wait to be sent, as many as are sent at once.
  size_t due() const;
  // Sends what is due. True if more waits for its turn. Of anything that other viewers share it changes nothing.
  bool pump(Context& context);
  // Sends packets again by their 16-bit numbers in the viewer's space.
  void retransmit(const std::vector<uint16_t>& lost, Context& context);
  void takeReport(const rtcp::ReportBlock& report, Context& context);
  // The viewer asks for a keyframe. If the publisher makes none on request, the remembered one has to do.
  void pictureLost(Context& context);
  // Called ten times a second.
  void tick(Context& context);

 private:
  // About 77 Mbit/s.
  static constexpr double kUsualPerMs = 8;

  enum class State : uint8_t { Paused, Waiting, CatchingUp, Live };
  // Pictures from before the join are shown as fast as they can be decoded: their time is compressed.
  struct Warp {
    // The last packet that it affects.
    int64_t until = -1;
    // `span` ticks of the track from `from` on become `window` ticks from `to` on.
    uint32_t from = 0;
    int64_t span = 1;
    uint32_t to = 0;
    int64_t window = 1;
  };

  // The viewer's clock at a time.
  struct Moment {
    double atMs = 0;
    uint32_t timestamp = 0;
  };

  bool started() const { return state_ == State::Live || state_ == State::CatchingUp; }
  void start(int64_t sequence, Context& context);
  void startAt(int64_t sequence, const Context& context);
  Warp warpFrom(const StoredPacket& first) const;
  void stayHere();
  void takeNext(Context& context);
  void align(const Context& context);
  bool stalled(Context& context);
  void skip(Context& context);
  void slowDown(Context& context);
  void speedUp(Context& context);
  void giveUpPicture(Context& context);
  bool mayRepeatKeyframe() const;
  bool hasShownNothing(double nowMs) const;
  void repeatKeyframe(Context& context);
  // It lost something a short while ago.
  bool isCareful(double nowMs) const;
  void needKeyframe(Context& context);
  uint64_t framesBetween(int64_t from, int64_t to) const;
  uint32_t timestampOf(const StoredPacket& packet) const;
  bool send(const StoredPacket& packet, Context& context);
  bool transmit(View payload, bool marker, uint32_t timestamp, int64_t viewer, Context& context);
  bool repeat(const StoredPacket& packet, int64_t viewer, bool lone, Context& context);
  bool sendAgain(View payload, bool marker, uint32_t timestamp, int64_t viewer, Context& context);
  void report(Context& context);
  // How long a packet that was sent again may be on its way.
  double pauseMs() const;

  SinkOptions options_;
  Track* track_;
  // The layer it changes to; null if it stays.
  Track* next_ = nullptr;
  double nextFreshMs_ = 0;
  double nextUntilMs_ = -1;
  // The viewer's timestamps minus those of the track.
  uint32_t offset_ = 0;
  // Another layer is about to begin; its times go after these.
  bool moved_ = false;
  std::optional<Moment> before_;
  Session* session_;
  bool closed_ = false;
  bool tap_;
  State state_ = State::Paused;
  SequenceMap map_;
  RepairBudget budget_;
  SinkStats stats_;
  Warp warp_;
  // The next packet of the track to send.
  int64_t cursor_ = 0;
  // Where the viewer started last: it no longer needs earlier packets.
  int64_t startedAt_ = 0;
  // Packets that were ready then.
  int64_t backlog_ = 0;
  // First packet left out since the viewer waits for a keyframe; -1 if it never had the picture before.
  int64_t skippedFrom_ = -1;
  // The viewer's number of its first packet since: earlier ones had other times and must not be sent with this one.
  int64_t firstOfStart_ = 0;
  // The parameter sets sent before the picture, to be repeated unchanged; at -1 if there are none.
  int64_t prefaceAt_ = -1;
  uint32_t prefaceTimestamp_ = 0;
  std::vector<uint8_t> preface_;
  bool prefaceDue_ = false;
  double freshMs_ = 0;
  double startedMs_ = -1;
  double waitUntilMs_ = -1;
  double pumpedMs_ = 0;
  // Packets that may be sent now, and how fast more become available.
  double allowance_ = 0;
  double perMs_;
  double slowedMs_ = -1;
  double spedMs_ = -1;
  // The keyframe that was shown once more, and how often.
  int64_t repeatedKeyframe_ = -1;
  int repeats_ = 0;
  double neededMs_ = -1;
  double reportedMs_ = -1000;
  double lookUps_ = 0;
  double lookUpsMs_ = 0;
  uint32_t lastTimestamp_ = 0;
  std::unordered_map<int64_t, double> repeated_;
  // -1 before the first report.
  double usualRttMs_ = -1;
  // The next number in the stream of repairs.
  int64_t repairSequence_ = 1;
  struct SentReport {
    uint32_t middle = 0;
    double atMs = -1;
  };
  std::array<SentReport, 8> reports_{};
  size_t nextReport_ = 0;
};

}  // namespace rushlight
