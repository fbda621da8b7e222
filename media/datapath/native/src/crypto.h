// The parts of OpenSSL that SRTP and STUN need: AES-128 in GCM and counter mode, HMAC-SHA1. Keys are wiped at the end.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <memory>

#include "bytes.h"

namespace rushlight {

inline constexpr size_t kAesKeyBytes = 16;
inline constexpr size_t kGcmIvBytes = 12;
inline constexpr size_t kGcmTagBytes = 16;
inline constexpr size_t kSha1Bytes = 20;

// Secret bytes that are overwritten when they go out of scope.
template <size_t N>
struct Secret {
  std::array<uint8_t, N> bytes{};
  Secret() = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { OPENSSL_cleanse(bytes.data(), N); }
  uint8_t* data() { return bytes.data(); }
  const uint8_t* data() const { return bytes.data(); }
};

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

enum class Direction { Encrypt, Decrypt };

class AesGcm {
 public:
  AesGcm(const uint8_t* key, Direction direction);
  // Writes the ciphertext and its tag to `out`.
  bool seal(const uint8_t* iv, View associated, View plain, uint8_t* out);
  // `sealed` ends with the tag. False if it is not authentic; `out` is then useless. `out` may be `sealed` itself.
  bool open(const uint8_t* iv, View associated, View sealed, uint8_t* out);

 private:
  CipherContext context_;
};

class AesCtr {
 public:
  explicit AesCtr(const uint8_t* key);
  bool crypt(const uint8_t* iv, View in, uint8_t* out);

 private:
  CipherContext context_;
};

class HmacSha1 {
 public:
  explicit HmacSha1(View key);
  HmacSha1(const HmacSha1&) = delete;
  HmacSha1& operator=(const HmacSha1&) = delete;
  ~HmacSha1();
  // The digest of `first` followed by `second`.
  std::array<uint8_t, kSha1Bytes> digest(View first, View second = {}) const;

 private:
  SHA_CTX inner_;
  SHA_CTX outer_;
};

bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count);
void randomBytes(uint8_t* to, size_t count);
uint32_t randomNumber();

}  // namespace rushlight
