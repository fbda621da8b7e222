#include "dtls.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>

namespace rushlight {

namespace {

constexpr size_t kRecordHeaderBytes = 13;
enum ContentType : uint8_t { ChangeCipherSpec = 20, Alert = 21, Handshake = 22, ApplicationData = 23 };
// Fits every path.
constexpr long kMtu = 1200;
constexpr unsigned kFirstTimeoutUs = 200'000;
constexpr unsigned kLastTimeoutUs = 1'600'000;
constexpr const char* kLabel = "EXTRACTOR-dtls_srtp";

unsigned nextTimeout(SSL*, unsigned lastUs) { return lastUs == 0 ? kFirstTimeoutUs : std::min(lastUs * 2, kLastTimeoutUs); }

std::string lastError() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  return text == nullptr ? "unknown error" : text;
}

}  // namespace

// One datagram in, any number out.
struct WireMethod {
  static Dtls::Wire& of(BIO* bio) { return *static_cast<Dtls::Wire*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* data, int length) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(data);
    of(bio).outgoing.emplace_back(bytes, bytes + length);
    return length;
  }

  static int read(BIO* bio, char* to, int room) {
    View& incoming = of(bio).incoming;
    BIO_clear_retry_flags(bio);
    if (incoming.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = std::min(incoming.size(), static_cast<size_t>(room));
    std::memcpy(to, incoming.data(), count);
    incoming = {};
    return static_cast<int>(count);
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* get() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datapath");
      BIO_meth_set_write(made, write);
      BIO_meth_set_read(made, read);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return method;
  }
};

Dtls::Dtls(const DtlsIdentity& identity, DtlsOptions options) : options_(std::move(options)), ssl_(SSL_new(identity.context())) {
  SSL* ssl = ssl_.get();
  const bool gcmFirst = options_.preferred == SrtpProfile::AeadAes128Gcm;
  SSL_set_tlsext_use_srtp(ssl, gcmFirst ? "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80" : "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM");
  SSL_set_mtu(ssl, kMtu);
  // Buffers of the necessary size: the default ones are for records of 16 KiB.
  SSL_set_max_send_fragment(ssl, kMtu);
  DTLS_set_timer_cb(ssl, nextTimeout);
  BIO* bio = BIO_new(WireMethod::get());
  BIO_set_data(bio, &wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  if (options_.client) SSL_set_connect_state(ssl);
  else SSL_set_accept_state(ssl);
}

void Dtls::start() {
  if (state_ != State::New) return;
  state_ = State::Handshake;
  if (options_.client) advance();
}

// Anybody can send an alert before encryption starts, so such alerts end nothing. Data is not part of a handshake.
void Dtls::receive(View datagram) {
  while (datagram.size() >= kRecordHeaderBytes) {
    const size_t length = kRecordHeaderBytes + read16(datagram.data() + 11);
    if (length > datagram.size()) return;
    const View record = datagram.first(length);
    datagram = datagram.subspan(length);
    const bool plain = read16(record.data() + 3) == 0;
    const uint8_t type = record[0];
    const bool known = record[1] == 0xfe && type >= ChangeCipherSpec && type <= Handshake;
    if (known && !(plain && type == Alert)) feed(record);
  }
}

void Dtls::feed(View record) {
  wire_.incoming = record;
  if (state_ == State::Handshake) advance();
  // Reads what comes in the same datagram as the peer's last message, too.
  if (state_ == State::Connected) readOn();
  wire_.incoming = {};
}

void Dtls::tick() {
  if (state_ != State::Handshake) return;
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_.get()) < 0) fail(lastError());
}

void Dtls::close() {
  ERR_clear_error();
  if (state_ == State::Connected && SSL_alloc_buffers(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
  state_ = State::Ended;
}

void Dtls::advance() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) return finish();
  const int error = SSL_get_error(ssl_.get(), done);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  const bool refused = SSL_get_verify_result(ssl_.get()) == X509_V_ERR_CERT_REJECTED;
  fail(refused ? "the key of the peer's certificate is of a kind that takes long to check" : lastError());
}

void Dtls::finish() {
  if (!peerIsExpected()) return fail("the certificate of the peer is not the one its SDP names");
  if (!exportKeys()) return fail("the peer offers no SRTP profile that we know");
  state_ = State::Connected;
}

// A peer that repeats its last flight gets ours again.
void Dtls::readOn() {
  ERR_clear_error();
  // The next record is usually the last one: keeps nothing for it meanwhile.
  if (SSL_alloc_buffers(ssl_.get()) != 1) return;
  uint8_t unused[256];
  int count;
  while ((count = SSL_read(ssl_.get(), unused, sizeof unused)) > 0) {
  }
  const int error = SSL_get_error(ssl_.get(), count);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) state_ = State::Ended;
  SSL_free_buffers(ssl_.get());
}

void Dtls::fail(std::string reason) {
  state_ = State::Failed;
  reason_ = std::move(reason);
}

bool Dtls::peerIsExpected() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_.get());
  if (certificate == nullptr) return false;
  const bool expected = std::any_of(options_.fingerprints.begin(), options_.fingerprints.end(), [&](const Fingerprint& one) {
    return !one.value.empty() && fingerprintOf(certificate, one.algorithm) == one.value;
  });
  X509_free(certificate);
  return expected;
}

// RFC 5764, section 4.2: both keys, then both salts, the client's first.
bool Dtls::exportKeys() {
  const SRTP_PROTECTION_PROFILE* chosen = SSL_get_selected_srtp_profile(ssl_.get());
  if (chosen == nullptr) return false;
  const bool gcm = chosen->id == SRTP_AEAD_AES_128_GCM;
  const size_t saltBytes = gcm ? kGcmIvBytes : kSaltBytes;
  Secret<2 * (kAesKeyBytes + kSaltBytes)> secret;
  const size_t bytes = 2 * (kAesKeyBytes + saltBytes);
  if (SSL_export_keying_material(ssl_.get(), secret.data(), bytes, kLabel, std::strlen(kLabel), nullptr, 0, 0) != 1) return false;
  MasterKey* sides[] = {&local_, &remote_};
  if (!options_.client) std::swap(sides[0], sides[1]);
  for (size_t i = 0; i < 2; i++) {
    sides[i]->profile = gcm ? SrtpProfile::AeadAes128Gcm : SrtpProfile::Aes128CmHmacSha1_80;
    copyBytes(sides[i]->key.data(), secret.data() + i * kAesKeyBytes, kAesKeyBytes);
    copyBytes(sides[i]->salt.data(), secret.data() + 2 * kAesKeyBytes + i * saltBytes, saltBytes);
  }
  return true;
}

}  // namespace rushlight
