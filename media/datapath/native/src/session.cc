#include "session.h"

#include <algorithm>

#include "sink.h"
#include "source.h"

namespace rushlight {

namespace {

constexpr size_t kMaxPaths = 16;
constexpr size_t kMaxCandidates = 32;
// For so long after something authentic an address belongs to its peer.
constexpr double kProvenMs = 5000;
constexpr size_t kMaxRestarts = 8;
constexpr size_t kMaxChecks = 256;
constexpr double kCheckIntervalMs = 100;
// Much shorter than RFC 7675's 4 to 6 s: a camera must notice a pulled cable at once.
constexpr double kConsentIntervalMs = 500;
constexpr double kSettleMs = 10;
// A handshake takes a dozen datagrams; more than this is a flood.
constexpr double kDtlsPerSecond = 50;
constexpr double kDtlsBurst = 64;

}  // namespace

Session::Session(SessionOptions options, Names& names, const DtlsIdentity& identity)
    : options_(options), names_(names), identity_(identity), silence_(options.silenceMs, options.controlling) {
  randomBytes(tieBreaker_.data(), tieBreaker_.size());
}

Session::~Session() {
  for (const IceNames& ice : ice_) {
    const auto known = names_.find(ice.ufrag);
    if (known != names_.end() && known->second == this) names_.erase(known);
  }
  for (const Path& path : paths_) {
    const auto known = path.socket->paths.find(path.peer);
    if (known != path.socket->paths.end() && known->second.session == this) path.socket->paths.erase(known);
  }
  for (MediaSocket* socket : sockets_) socket->owner = nullptr;
  for (Sink* sink : sinks_) sink->sessionGone();
  for (Source* source : sources_) source->sessionGone();
}

void Session::setIce(IceNames ice) {
  if (!options_.controlling) names_[ice.ufrag] = this;
  ice_.push_back(std::move(ice));
  if (ice_.size() <= kMaxRestarts) return;
  // The first one is in use: the second, which the peer never used, makes room.
  names_.erase(ice_[1].ufrag);
  ice_.erase(ice_.begin() + 1);
}

void Session::addCandidate(const Endpoint& peer) {
  if (!options_.controlling) return;
  for (MediaSocket* socket : sockets_) {
    if (socket->local.family != peer.family || paths_.size() >= kMaxCandidates) continue;
    const Path path{socket, peer};
    if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) paths_.push_back(path);
  }
}

bool Session::isCandidate(const Endpoint& peer) const {
  return std::any_of(paths_.begin(), paths_.end(), [&](const Path& path) { return path.peer == peer; });
}

void Session::addSocket(MediaSocket* socket) {
  sockets_.push_back(socket);
  socket->owner = this;
}

void Session::socketClosed(const MediaSocket* socket) {
  std::erase(sockets_, socket);
  std::erase_if(paths_, [&](const Path& path) { return path.socket == socket; });
  std::erase_if(checks_, [&](const auto& check) { return check.second.socket == socket; });
  // The peer is looked for again: the next path it checks is used, even without a nomination.
  if (selected_ && selected_->socket == socket) selected_.reset();
}

void Session::setKeys(const MasterKey& local, const MasterKey& remote, Context& context) {
  sender_.emplace(local);
  receiver_.emplace(remote);
  silence_.connected(context.nowMs);
  settledMs_ = context.nowMs + kSettleMs;
}

void Session::startDtls(DtlsOptions options) {
  if (!dtls_) dtls_.emplace(identity_, std::move(options));
}

void Session::sayGoodbye(Context& context) {
  if (!dtls_) return;
  dtls_->close();
  followDtls(context);
}

void Session::receiveStun(MediaSocket& socket, const Endpoint& from, View datagram, Context& context) {
  const auto message = stun::parse(datagram);
  if (!message) return;
  if (message->type != stun::Request) return receiveResponse(*message, socket, from, datagram, context);
  const auto used = std::find_if(ice_.begin(), ice_.end(), [&](const IceNames& ice) {
    return message->username == ice.ufrag + ":" + ice.remoteUfrag;
  });
  if (used == ice_.end() || !stun::hasIntegrity(datagram, *message, used->password)) {
    context.counters.refused++;
    return;
  }
  const Path path{&socket, from};
  const std::string& password = used->password;
  if (message->unknown != 0) return sendTo(path, stun::buildError(message->transaction, 420, message->unknown, password), context);
  const bool conflict = options_.controlling ? message->controlling : message->controlled;
  if (conflict) return sendTo(path, stun::buildError(message->transaction, 487, 0, password), context);
  if (!options_.controlling && !remember(path, context.nowMs)) {
    context.counters.refused++;
    return;
  }
  sendTo(path, stun::buildSuccess(message->transaction, from, password), context);
  if (options_.controlling) return addCandidate(from);
  silence_.heard(context.nowMs);
  // The peer uses new credentials: older ones are over.
  const bool restarted = used != ice_.begin();
  if (restarted) {
    for (auto old = ice_.begin(); old != used; ++old) names_.erase(old->ufrag);
    ice_.erase(ice_.begin(), used);
  }
  if (!selected_ || message->useCandidate || restarted) select(path, context);
}

void Session::receiveResponse(const stun::Message& message, MediaSocket& socket, const Endpoint& from, View datagram, Context& context) {
  if (message.type != stun::Success || !options_.controlling || ice_.empty()) return;
  const auto asked = std::find_if(checks_.begin(), checks_.end(), [&](const auto& check) { return check.first == message.transaction; });
  // An answer counts only if it comes from the address that was asked (RFC 8445, section 7.2.5.2.1).
  if (asked == checks_.end() || asked->second != Path{&socket, from}) return;
  if (!stun::hasIntegrity(datagram, message, ice_.back().remotePassword)) return;
  const Path path = asked->second;
  checks_.erase(asked);
  silence_.heard(context.nowMs);
  if (!selected_) select(path, context);
}

void Session::select(const Path& path, Context& context) {
  const bool first = !selected_;
  selected_ = path;
  if (!first || !dtls_) return;
  dtls_->start();
  followDtls(context);
}

bool Session::remember(const Path& path, double nowMs) {
  MediaSocket::Binding& present = path.socket->paths[path.peer];
  if (present.session != this) {
    // The address of a check is easily forged: it takes nothing from a peer that sends from there.
    if (present.session != nullptr && nowMs - present.provenMs < kProvenMs) return false;
    present = {this};
  }
  if (std::find(paths_.begin(), paths_.end(), path) != paths_.end()) return true;
  paths_.push_back(path);
  if (paths_.size() > kMaxPaths) forgetOldestPath();
  return true;
}

void Session::forgetOldestPath() {
  const auto oldest = std::find_if(paths_.begin(), paths_.end(), [&](const Path& known) { return known != selected_; });
  if (oldest == paths_.end()) return;
  const auto bound = oldest->socket->paths.find(oldest->peer);
  if (bound != oldest->socket->paths.end() && bound->second.session == this) oldest->socket->paths.erase(bound);
  paths_.erase(oldest);
}

bool Session::receive(const Endpoint& from, View datagram, uint8_t* scratch, Context& context) {
  if (datagram.empty()) return false;
  const uint8_t first = datagram[0];
  if (first >= 20 && first <= 63) {
    // Before a check was answered, nobody is known to be there. A full agent may then send from any of its addresses.
    if (selected_ && (!options_.controlling || isCandidate(from))) receiveDtls(datagram, context);
    return false;
  }
  return first >= 128 && first <= 191 && receiveMedia(datagram, scratch, context);
}

bool Session::receiveMedia(View datagram, uint8_t* scratch, Context& context) {
  const bool control = isRtcp(datagram);
  if (!control && fresh_ && sinks_.empty()) {
    held_.keep(datagram, context.nowMs);
    return false;
  }
  if (!receiver_ || (!control && source_ == nullptr)) return false;
  const auto bytes = control ? receiver_->unprotectRtcp(datagram, scratch, context.nowMs) : receiver_->unprotectRtp(datagram, scratch, context.nowMs);
  if (!bytes) {
    context.counters.refused++;
    return false;
  }
  // Media alone proves nothing to an agent that sends checks: consent needs answered checks.
  if (!options_.controlling) silence_.heard(context.nowMs);
  const View plain = {scratch, *bytes};
  if (!control) {
    source_->receiveRtp(plain, context);
    return true;
  }
  reportContext_ = &context;
  rtcp::parse(plain, *this);
  return true;
}

void Session::add(Source* source) {
  sources_.push_back(source);
  source_ = source;
  fresh_ = false;
}

void Session::remove(Source* source) {
  std::erase(sources_, source);
  if (source_ == source) source_ = nullptr;
}

void Session::releaseHeld(Context& context) {
  for (const auto& datagram : held_.take()) {
    std::vector<uint8_t> plain(datagram.size());
    receiveMedia(datagram, plain.data(), context);
  }
}

void Session::receiveDtls(View datagram, Context& context) {
  if (!dtls_) return;
  dtlsTokens_ = std::min(kDtlsBurst, dtlsTokens_ + (context.nowMs - dtlsMs_) / 1000 * kDtlsPerSecond);
  dtlsMs_ = context.nowMs;
  if (dtlsTokens_ < 1) {
    context.counters.refused++;
    return;
  }
  dtlsTokens_--;
  dtls_->receive(datagram);
  followDtls(context);
}

// Sends the messages of the handshake, and reports its result once.
void Session::followDtls(Context& context) {
  for (const auto& datagram : dtls_->takeDatagrams()) {
    if (selected_) sendTo(*selected_, datagram, context);
  }
  const Dtls::State state = dtls_->state();
  if (state == followed_) return;
  followed_ = state;
  if (state == Dtls::State::Connected) {
    setKeys(dtls_->localKey(), dtls_->remoteKey(), context);
    context.events.push({EventType::Connected, options_.handle});
  } else if (state == Dtls::State::Failed) {
    const std::string& reason = dtls_->reason();
    context.events.push({EventType::DtlsFailed, options_.handle, 0, 0, false, {reason.begin(), reason.end()}});
  } else if (state == Dtls::State::Ended) {
    context.events.push({EventType::PeerLeft, options_.handle});
  }
}

bool Session::claim(uint64_t round) {
  if (!canSend() || selected_->socket->use != SocketUse::Shared || selected_->socket->queue.blocked()) return false;
  return std::exchange(round_, round) != round;
}

bool Session::sendRtp(const RtpPacket& packet, int64_t extendedSequence, Context& context) {
  if (!canSend()) return true;
  Outlet& queue = selected_->socket->queueOf(context.lane);
  uint8_t* at = queue.reserve(kRtpHeaderBytes + packet.payload.size() + kSrtpOverhead, context.counters);
  if (at == nullptr) return false;
  writeRtpHeader(at, packet.marker, packet.payloadType, packet.sequence, packet.timestamp, packet.ssrc);
  queue.commit(selected_->peer, sender_->protectRtp(at, extendedSequence, packet.payload), context.counters);
  return true;
}

void Session::sendRtcp(View compound, Context& context) {
  if (!canSend()) return;
  Outlet& queue = selected_->socket->queue;
  uint8_t* at = queue.reserve(compound.size() + kSrtcpOverhead, context.counters);
  if (at != nullptr) queue.commit(selected_->peer, sender_->protectRtcp(compound, at), context.counters);
}

void Session::sendTo(const Path& path, View datagram, Context& context) {
  uint8_t* at = path.socket->queue.reserveUrgent(datagram.size(), context.counters);
  if (at == nullptr) return;
  copyBytes(at, datagram.data(), datagram.size());
  path.socket->queue.commit(path.peer, datagram.size(), context.counters);
}

void Session::remove(Sink* sink) { std::erase(sinks_, sink); }

void Session::tick(Context& context) {
  held_.expire(context.nowMs);
  if (dtls_) {
    dtls_->tick();
    followDtls(context);
  }
  if (!options_.controlling || ice_.empty()) return;
  // The interval is that of the caller, or a multiple of it: half a tick is near enough.
  const double interval = (selected_ ? kConsentIntervalMs : kCheckIntervalMs) - kCheckIntervalMs / 2;
  if (checkedMs_ >= 0 && context.nowMs - checkedMs_ < interval) return;
  checkedMs_ = context.nowMs;
  check(context);
}

void Session::check(Context& context) {
  const IceNames& ice = ice_.back();
  const auto send = [&](const Path& path) {
    stun::Transaction transaction;
    randomBytes(transaction.data(), transaction.size());
    checks_.emplace_back(transaction, path);
    if (checks_.size() > kMaxChecks) checks_.pop_front();
    sendTo(path, stun::buildCheck(transaction, ice.remoteUfrag + ":" + ice.ufrag, tieBreaker_, ice.remotePassword), context);
  };
  if (selected_) return send(*selected_);
  for (const Path& path : paths_) send(path);
}

void Session::onSenderReport(const rtcp::SenderReport& report) {
  if (source_ != nullptr) source_->takeSenderReport(report, *reportContext_);
}

void Session::onReportBlock(const rtcp::ReportBlock& report) {
  for (Sink* sink : sinks_) {
    if (sink->ssrc() == report.ssrc) sink->takeReport(report, *reportContext_);
  }
}

void Session::onNack(uint32_t mediaSsrc, const std::vector<uint16_t>& lost) {
  for (Sink* sink : sinks_) {
    if (sink->ssrc() == mediaSsrc) sink->retransmit(lost, *reportContext_);
  }
}

void Session::onKeyframeRequest(uint32_t) {
  for (Sink* sink : sinks_) {
    if (sink->isVideo()) sink->pictureLost(*reportContext_);
  }
}

void Session::onReferenceTime(const rtcp::ReferenceTime& time) {
  references_.note(time, reportContext_->nowMs);
  knowsRoundTrip_ = true;
}

}  // namespace rushlight
