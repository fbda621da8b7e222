#include "dtls-identity.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <cstring>

#include "crypto.h"

namespace rushlight {

namespace {

// WebRTC peers have ECDSA or RSA certificates; GCM first, CBC for the oldest ones.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";
constexpr const char* kGroups = "X25519:P-256:P-384";
// No DSA: its largest keys cost milliseconds.
constexpr const char* kSignatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr long kMaxChainBytes = 16 * 1024;
// With 16,384 bits and an exponent of 64 a signature takes 5 ms to check, and a small board several times as long: everybody's packets
// would wait for it.
constexpr int kMaxRsaBits = 4096;
constexpr int kMaxExponentBits = 32;

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

// Without a certificate nobody can connect, so the process ends.
void require(bool done) {
  if (!done) std::abort();
}

Certificate selfSigned(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  require(certificate != nullptr);
  require(X509_set_version(certificate.get(), 2) == 1);
  require(ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), randomNumber() >> 1) == 1);
  // Peers know it by its fingerprint. It is valid at any time, because a board's clock may be wrong.
  require(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), "20000101000000Z") == 1);
  require(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), "20991231235959Z") == 1);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>("rushlight");
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1);
  require(X509_set_issuer_name(certificate.get(), name) == 1);
  require(X509_set_pubkey(certificate.get(), key) == 1);
  require(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  return certificate;
}

bool isQuick(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return true;
  if (EVP_PKEY_is_a(key, "EC")) {
    char name[32] = {};
    // A curve that only its parameters describe has no name.
    if (EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) != 1) return false;
    return std::strcmp(name, "prime256v1") == 0 || std::strcmp(name, "secp384r1") == 0;
  }
  BIGNUM* exponent = nullptr;
  if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
  const int exponentBits = BN_num_bits(exponent);
  BN_free(exponent);
  return EVP_PKEY_get_bits(key) <= kMaxRsaBits && exponentBits <= kMaxExponentBits;
}

// The fingerprint identifies the peer, and the handshake proves that it has the key: no authority is involved. A key that takes long to
// verify is rejected before that.
int acceptCertificate(X509_STORE_CTX* store, void*) {
  EVP_PKEY* key = X509_get0_pubkey(X509_STORE_CTX_get0_cert(store));
  if (key != nullptr && isQuick(key)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

Key usualKey() { return Key(EVP_EC_gen("P-256")); }

}  // namespace

std::string fingerprintOf(const X509* certificate, const std::string& algorithm) {
  const EVP_MD* digest = algorithm == "sha-256"   ? EVP_sha256()
                         : algorithm == "sha-384" ? EVP_sha384()
                         : algorithm == "sha-512" ? EVP_sha512()
                                                  : nullptr;
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int count = 0;
  if (digest == nullptr || X509_digest(certificate, digest, bytes, &count) != 1) return {};
  constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (unsigned int i = 0; i < count; i++) {
    if (i > 0) text += ':';
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

DtlsIdentity::DtlsIdentity() : DtlsIdentity(usualKey()) {}

DtlsIdentity::DtlsIdentity(const Key& key) : context_(SSL_CTX_new(DTLS_method())) {
  require(context_ != nullptr);
  require(key != nullptr);
  const Certificate certificate = selfSigned(key.get());
  fingerprint_ = fingerprintOf(certificate.get(), "sha-256");
  SSL_CTX* context = context_.get();
  require(SSL_CTX_use_certificate(context, certificate.get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1);
  require(SSL_CTX_set_cipher_list(context, kCiphers) == 1);
  require(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  require(SSL_CTX_set1_sigalgs_list(context, kSignatures) == 1);
  SSL_CTX_set_max_cert_list(context, kMaxChainBytes);
  SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
  // Some peers have RSA certificates of 1,024 bits; signatures over SHA-1 are still rejected.
  SSL_CTX_set_security_level(context, 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, acceptCertificate, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace rushlight
