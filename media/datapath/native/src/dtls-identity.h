// The certificate that this process shows in its DTLS handshakes, and the settings that all of them share.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace rushlight {

// Fingerprint of a certificate (RFC 8122): pairs of upper-case hex digits with colons between them. `algorithm` is named as
// in SDP; empty where it is unknown or not safe.
std::string fingerprintOf(const X509* certificate, const std::string& algorithm);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// A fresh self-signed certificate, of P-256 where no key is given, and what all handshakes share. Read-only, so that any thread may use it.
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
