#include "crypto.h"

#include <openssl/rand.h>

#include <cstdlib>

namespace rushlight {

namespace {

constexpr size_t kSha1BlockBytes = 64;

const EVP_CIPHER* gcm() {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  return cipher;
}

const EVP_CIPHER* counterMode() {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr);
  return cipher;
}

}  // namespace

AesGcm::AesGcm(const uint8_t* key, Direction direction) : context_(EVP_CIPHER_CTX_new()) {
  const int encrypt = direction == Direction::Encrypt ? 1 : 0;
  EVP_CipherInit_ex(context_.get(), gcm(), nullptr, nullptr, nullptr, encrypt);
  EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_IVLEN, kGcmIvBytes, nullptr);
  EVP_CipherInit_ex(context_.get(), nullptr, nullptr, key, nullptr, encrypt);
}

bool AesGcm::seal(const uint8_t* iv, View associated, View plain, uint8_t* out) {
  EVP_CIPHER_CTX* context = context_.get();
  int written = 0;
  if (EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, iv) != 1) return false;
  EVP_EncryptUpdate(context, nullptr, &written, associated.data(), static_cast<int>(associated.size()));
  if (!plain.empty()) EVP_EncryptUpdate(context, out, &written, plain.data(), static_cast<int>(plain.size()));
  if (EVP_EncryptFinal_ex(context, out + plain.size(), &written) != 1) return false;
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes, out + plain.size()) == 1;
}

bool AesGcm::open(const uint8_t* iv, View associated, View sealed, uint8_t* out) {
  if (sealed.size() < kGcmTagBytes) return false;
  EVP_CIPHER_CTX* context = context_.get();
  const size_t bytes = sealed.size() - kGcmTagBytes;
  uint8_t tag[kGcmTagBytes];
  copyBytes(tag, sealed.data() + bytes, kGcmTagBytes);
  int written = 0;
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, iv) != 1) return false;
  EVP_DecryptUpdate(context, nullptr, &written, associated.data(), static_cast<int>(associated.size()));
  if (bytes > 0) EVP_DecryptUpdate(context, out, &written, sealed.data(), static_cast<int>(bytes));
  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes, tag);
  return EVP_DecryptFinal_ex(context, out + bytes, &written) == 1;
}

AesCtr::AesCtr(const uint8_t* key) : context_(EVP_CIPHER_CTX_new()) {
  EVP_EncryptInit_ex(context_.get(), counterMode(), nullptr, key, nullptr);
}

bool AesCtr::crypt(const uint8_t* iv, View in, uint8_t* out) {
  int written = 0;
  if (EVP_EncryptInit_ex(context_.get(), nullptr, nullptr, nullptr, iv) != 1) return false;
  if (in.empty()) return true;
  return EVP_EncryptUpdate(context_.get(), out, &written, in.data(), static_cast<int>(in.size())) == 1;
}

// The two keyed blocks are hashed once; a digest continues from copies of them.
HmacSha1::HmacSha1(View key) {
  Secret<kSha1BlockBytes> block;
  if (key.size() > kSha1BlockBytes) SHA1(key.data(), key.size(), block.data());
  else copyBytes(block.data(), key.data(), key.size());
  for (auto& byte : block.bytes) byte ^= 0x36;
  SHA1_Init(&inner_);
  SHA1_Update(&inner_, block.data(), kSha1BlockBytes);
  for (auto& byte : block.bytes) byte ^= 0x36 ^ 0x5c;
  SHA1_Init(&outer_);
  SHA1_Update(&outer_, block.data(), kSha1BlockBytes);
}

HmacSha1::~HmacSha1() {
  OPENSSL_cleanse(&inner_, sizeof inner_);
  OPENSSL_cleanse(&outer_, sizeof outer_);
}

std::array<uint8_t, kSha1Bytes> HmacSha1::digest(View first, View second) const {
  std::array<uint8_t, kSha1Bytes> result;
  SHA_CTX context = inner_;
  SHA1_Update(&context, first.data(), first.size());
  if (!second.empty()) SHA1_Update(&context, second.data(), second.size());
  SHA1_Final(result.data(), &context);
  context = outer_;
  SHA1_Update(&context, result.data(), result.size());
  SHA1_Final(result.data(), &context);
  return result;
}

bool equalInConstantTime(const uint8_t* a, const uint8_t* b, size_t count) {
  return CRYPTO_memcmp(a, b, count) == 0;
}

// Without random numbers nothing here is safe, so the process ends.
void randomBytes(uint8_t* to, size_t count) {
  if (RAND_bytes(to, static_cast<int>(count)) != 1) std::abort();
}

uint32_t randomNumber() {
  uint8_t bytes[4];
  randomBytes(bytes, sizeof bytes);
  return read32(bytes);
}

}  // namespace rushlight
