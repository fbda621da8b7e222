// The DTLS handshake of a session (RFC 5764), by OpenSSL: it proves the identity of the peer and agrees on the SRTP keys.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "dtls-identity.h"
#include "srtp.h"

namespace rushlight {

// As in SDP: `sha-256`, and pairs of upper-case hex digits separated by colons.
struct Fingerprint {
  std::string algorithm;
  std::string value;
};

struct DtlsOptions {
  // Starts the handshake; otherwise the peer does.
  bool client = false;
  // Used if the peer leaves the choice to us.
  SrtpProfile preferred = SrtpProfile::AeadAes128Gcm;
  // The peer's certificate has one of these.
  std::vector<Fingerprint> fingerprints;
};

class Dtls {
 public:
  enum class State : uint8_t { New, Handshake, Connected, Failed, Ended };

  Dtls(const DtlsIdentity& identity, DtlsOptions options);
  Dtls(const Dtls&) = delete;
  Dtls& operator=(const Dtls&) = delete;

  State state() const { return state_; }
  // Of a handshake that failed.
  const std::string& reason() const { return reason_; }
  // Once connected.
  const MasterKey& localKey() const { return local_; }
  const MasterKey& remoteKey() const { return remote_; }

  // There is a path to the peer.
  void start();
  void receive(View datagram);
  // Repeats unanswered messages. Called ten times a second.
  void tick();
  // Sends a close alert if somebody can receive it.
  void close();
  // Datagrams for the peer since the last call.
  std::vector<std::vector<uint8_t>> takeDatagrams() { return std::exchange(wire_.outgoing, {}); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  // What OpenSSL reads from and writes to.
  struct Wire {
    View incoming;
    std::vector<std::vector<uint8_t>> outgoing;
  };
  friend struct WireMethod;

  void feed(View record);
  void advance();
  void finish();
  void readOn();
  void fail(std::string reason);
  bool peerIsExpected() const;
  bool exportKeys();

  DtlsOptions options_;
  Wire wire_;
  std::unique_ptr<SSL, Free> ssl_;
  State state_ = State::New;
  std::string reason_;
  MasterKey local_;
  MasterKey remote_;
};

}  // namespace rushlight
