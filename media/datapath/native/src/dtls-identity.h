// The certificate of this process in its DTLS handshakes, and the settings that they all share.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace rushlight {

// Fingerprint of a certificate (RFC 8122): pairs of upper-case hex digits separated by colons. `algorithm` is named as
// in SDP; empty if it is unknown or unsafe.
std::string fingerprintOf(const X509* certificate, const std::string& algorithm);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// A fresh self-signed certificate (P-256 unless a key is given) and the shared settings of all handshakes. Read-only, so any thread may use it.
class DtlsIdentity {
 public:
  DtlsIdentity();
  explicit DtlsIdentity(const Key& key);
  const std::string& fingerprint() const { return fingerprint_; }
  SSL_CTX* context() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::string fingerprint_;
};

}  // namespace rushlight
