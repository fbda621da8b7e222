// One session's connection to its peer: ICE, DTLS, SRTP, and what belongs to them.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "context.h"
#include "dtls.h"
#include "held-packets.h"
#include "reference-times.h"
#include "rtcp.h"
#include "rtp.h"
#include "silence.h"
#include "srtp.h"
#include "stun.h"
#include "media-socket.h"

namespace rushlight {

class Session;
class Sink;
class Source;

// Sessions by their own user fragment.
using Names = std::unordered_map<std::string, Session*>;

struct SessionOptions {
  Handle handle = 0;
  // Has its own sockets and checks the peer; otherwise it waits for checks (ICE-lite, RFC 8445 section 2.5).
  bool controlling = false;
  // The peer counts as gone after this silence, or a longer one if it is usually quiet.
  double silenceMs = 0;
};

struct IceNames {
  std::string ufrag;
  std::string password;
  std::string remoteUfrag;
  std::string remotePassword;
};

struct Path {
  MediaSocket* socket = nullptr;
  Endpoint peer;
  bool operator==(const Path&) const = default;
};

class Session final : private rtcp::Handler {
 public:
  Session(SessionOptions options, Names& names, const DtlsIdentity& identity);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Handle handle() const { return options_.handle; }
  // The first ones, or those of an ICE restart: the old ones stay valid until the peer uses the new ones.
  void setIce(IceNames ice);
  // The peer may be there.
  void addCandidate(const Endpoint& peer);
  void addSocket(MediaSocket* socket);
  void socketClosed(const MediaSocket* socket);
  // The handshake begins once there is a path to the peer.
  void startDtls(DtlsOptions options);
  void setKeys(const MasterKey& local, const MasterKey& remote, Context& context);
  // The peer is not wanted any more: it gets a close alert.
  void sayGoodbye(Context& context);

  // A STUN message that named this session or arrived on its own socket.
  void receiveStun(MediaSocket& socket, const Endpoint& from, View datagram, Context& context);
  // Anything else from a path that passed a check; it is decrypted into `scratch`. True if it is authentic media or a report.
  bool receive(const Endpoint& from, View datagram, uint8_t* scratch, Context& context);

  // True if there are keys and a path.
  bool canSend() const { return sender_ && selected_; }
  // False for a moment after the handshake, which the peer has not finished yet: early packets would be lost there.
  bool settled(double nowMs) const { return nowMs >= settledMs_; }
  // True while the socket is full.
  bool blocked(const Context& context) const { return selected_ && selected_->socket->queueOf(context.lane).blocked(); }
  // True once in a round where any thread may send to the peer: not to a connection, whose queue two sessions may share.
  bool claim(uint64_t round);
  // False if the socket is full now.
  bool sendRtp(const RtpPacket& packet, int64_t extendedSequence, Context& context);
  void sendRtcp(View compound, Context& context);

  void add(Sink* sink) { sinks_.push_back(sink); }
  void remove(Sink* sink);
  void add(Source* source);
  void remove(Source* source);
  // The receiver of the packets, among several sources.
  void setSource(Source* source) { source_ = source; }
  // Passes earlier packets on to the source.
  void releaseHeld(Context& context);

  // It tells its clocks, so it knows its round trip although it only receives.
  bool knowsRoundTrip() const { return knowsRoundTrip_; }
  // What the peer's receivers still have to hear about their clocks.
  std::vector<rtcp::ReferenceEcho> takeReferenceEchoes(double nowMs) { return references_.take(nowMs); }

  const Silence& silence() const { return silence_; }
  // Called ten times a second.
  void tick(Context& context);

 private:
  void receiveResponse(const stun::Message& message, MediaSocket& socket, const Endpoint& from, View datagram, Context& context);
  bool isCandidate(const Endpoint& peer) const;
  void select(const Path& path, Context& context);
  // False where somebody else is there.
  bool remember(const Path& path, double nowMs);
  void forgetOldestPath();
  void sendTo(const Path& path, View datagram, Context& context);
  void check(Context& context);
  bool receiveMedia(View datagram, uint8_t* scratch, Context& context);
  void receiveDtls(View datagram, Context& context);
  void followDtls(Context& context);

  void onSenderReport(const rtcp::SenderReport& report) override;
  void onReportBlock(const rtcp::ReportBlock& report) override;
  void onNack(uint32_t mediaSsrc, const std::vector<uint16_t>& lost) override;
  void onKeyframeRequest(uint32_t mediaSsrc) override;
  void onReferenceTime(const rtcp::ReferenceTime& time) override;
  void onBye(uint32_t) override {}

  SessionOptions options_;
  Names& names_;
  const DtlsIdentity& identity_;
  Silence silence_;
  // The newest last. Unused ones never push out one that the peer has used.
  std::deque<IceNames> ice_;
  std::vector<MediaSocket*> sockets_;
  std::deque<Path> paths_;
  std::optional<Path> selected_;
  std::optional<Dtls> dtls_;
  std::optional<SrtpSender> sender_;
  std::optional<SrtpReceiver> receiver_;
  std::vector<Sink*> sinks_;
  std::vector<Source*> sources_;
  Source* source_ = nullptr;
  // It never had a source.
  bool fresh_ = true;
  HeldPackets held_;
  ReferenceTimes references_;
  bool knowsRoundTrip_ = false;
  // Of a controlling agent.
  std::deque<std::pair<stun::Transaction, Path>> checks_;
  std::array<uint8_t, 8> tieBreaker_{};
  double checkedMs_ = -1;
  double settledMs_ = 0;
  uint64_t round_ = 0;
  // The last reported state of the handshake.
  Dtls::State followed_ = Dtls::State::New;
  double dtlsTokens_ = 64;
  double dtlsMs_ = 0;
  Context* reportContext_ = nullptr;
};

}  // namespace rushlight
