#include "srtp.h"

#include "rtp.h"
#include "sequence.h"

namespace rushlight {

namespace {

// A stream that was silent for this long may have advanced by more than half of the sequence numbers.
constexpr double kLostTrackMs = 1000;
constexpr uint32_t kEncrypted = 0x80000000;

enum Label : uint8_t { RtpKey = 0, RtpAuthentication = 1, RtpSalt = 2, RtcpOffset = 3 };

// Key derivation (RFC 3711, section 4.3).
void derive(const MasterKey& master, uint8_t label, uint8_t* out, size_t bytes) {
  const uint8_t zeros[32] = {};
  uint8_t iv[16] = {};
  copyBytes(iv, master.salt.data(), master.profile == SrtpProfile::AeadAes128Gcm ? 12 : kSaltBytes);
  iv[7] ^= label;
  AesCtr(master.key.data()).crypt(iv, {zeros, bytes}, out);
}

}  // namespace

SrtpCipher::SrtpCipher(const MasterKey& master, bool rtcp, Direction direction) {
  const uint8_t offset = rtcp ? RtcpOffset : 0;
  Secret<kAesKeyBytes> key;
  derive(master, RtpKey + offset, key.data(), kAesKeyBytes);
  derive(master, RtpSalt + offset, salt_.data(), kSaltBytes);
  if (master.profile == SrtpProfile::AeadAes128Gcm) {
    gcm_.emplace(key.data(), direction);
    return;
  }
  Secret<kSha1Bytes> authentication;
  derive(master, RtpAuthentication + offset, authentication.data(), kSha1Bytes);
  counter_.emplace(key.data());
  hmac_.emplace(View(authentication.bytes));
}

size_t SrtpCipher::sealRtp(uint8_t* packet, size_t headerBytes, uint64_t index, View body) {
  const uint32_t ssrc = read32(packet + 8);
  const size_t plainBytes = headerBytes + body.size();
  if (gcm_) {
    uint8_t iv[kGcmIvBytes];
    gcmIv(ssrc, index, iv);
    gcm_->seal(iv, {packet, headerBytes}, body, packet + headerBytes);
    return plainBytes + kGcmTagBytes;
  }
  uint8_t iv[16];
  counterIv(ssrc, index, iv);
  counter_->crypt(iv, body, packet + headerBytes);
  uint8_t rollover[4];
  write32(rollover, static_cast<uint32_t>(index >> 16));
  const auto digest = hmac_->digest({packet, plainBytes}, rollover);
  copyBytes(packet + plainBytes, digest.data(), kHmacTagBytes);
  return plainBytes + kHmacTagBytes;
}

bool SrtpCipher::openRtp(View packet, size_t headerBytes, uint64_t index, uint8_t* out) {
  const uint32_t ssrc = read32(packet.data() + 8);
  if (gcm_) {
    uint8_t iv[kGcmIvBytes];
    gcmIv(ssrc, index, iv);
    if (!gcm_->open(iv, packet.first(headerBytes), packet.subspan(headerBytes), out + headerBytes)) return false;
    copyBytes(out, packet.data(), headerBytes);
    return true;
  }
  const size_t covered = packet.size() - kHmacTagBytes;
  uint8_t rollover[4];
  write32(rollover, static_cast<uint32_t>(index >> 16));
  const auto digest = hmac_->digest(packet.first(covered), rollover);
  if (!equalInConstantTime(digest.data(), packet.data() + covered, kHmacTagBytes)) return false;
  uint8_t iv[16];
  counterIv(ssrc, index, iv);
  copyBytes(out, packet.data(), headerBytes);
  return counter_->crypt(iv, packet.subspan(headerBytes, covered - headerBytes), out + headerBytes);
}

size_t SrtpCipher::sealRtcp(View compound, uint32_t index, uint8_t* out) {
  const uint32_t ssrc = read32(compound.data() + 4);
  const View body = compound.subspan(8);
  const uint32_t trailer = index | kEncrypted;
  copyBytes(out, compound.data(), 8);
  if (gcm_) {
    uint8_t iv[kGcmIvBytes];
    gcmIv(ssrc, index, iv);
    uint8_t associated[12];
    copyBytes(associated, compound.data(), 8);
    write32(associated + 8, trailer);
    gcm_->seal(iv, associated, body, out + 8);
    write32(out + compound.size() + kGcmTagBytes, trailer);
    return compound.size() + kGcmTagBytes + 4;
  }
  uint8_t iv[16];
  counterIv(ssrc, index, iv);
  counter_->crypt(iv, body, out + 8);
  write32(out + compound.size(), trailer);
  const auto digest = hmac_->digest({out, compound.size() + 4});
  copyBytes(out + compound.size() + 4, digest.data(), kHmacTagBytes);
  return compound.size() + 4 + kHmacTagBytes;
}

std::optional<size_t> SrtpCipher::openRtcp(View packet, uint32_t index, uint8_t* out) {
  const auto trailerAt = static_cast<size_t>(trailerOffset(packet.size()));
  const uint32_t ssrc = read32(packet.data() + 4);
  if (gcm_) {
    uint8_t iv[kGcmIvBytes];
    gcmIv(ssrc, index, iv);
    uint8_t associated[12];
    copyBytes(associated, packet.data(), 8);
    copyBytes(associated + 8, packet.data() + trailerAt, 4);
    if (!gcm_->open(iv, associated, packet.subspan(8, trailerAt - 8), out + 8)) return std::nullopt;
    copyBytes(out, packet.data(), 8);
    return trailerAt - kGcmTagBytes;
  }
  const auto digest = hmac_->digest(packet.first(trailerAt + 4));
  if (!equalInConstantTime(digest.data(), packet.data() + trailerAt + 4, kHmacTagBytes)) return std::nullopt;
  uint8_t iv[16];
  counterIv(ssrc, index, iv);
  copyBytes(out, packet.data(), 8);
  counter_->crypt(iv, packet.subspan(8, trailerAt - 8), out + 8);
  return trailerAt;
}

ptrdiff_t SrtpCipher::trailerOffset(size_t packetBytes) const {
  const auto bytes = static_cast<ptrdiff_t>(packetBytes);
  const ptrdiff_t at = gcm_ ? bytes - 4 : bytes - 4 - static_cast<ptrdiff_t>(kHmacTagBytes);
  return at < 8 + (gcm_ ? static_cast<ptrdiff_t>(kGcmTagBytes) : 0) ? -1 : at;
}

// RFC 7714, sections 8.1 and 9.1: the same form for both, since an SRTCP index has 31 bits.
void SrtpCipher::gcmIv(uint32_t ssrc, uint64_t index, uint8_t* iv) const {
  write16(iv, 0);
  write32(iv + 2, ssrc);
  write16(iv + 6, static_cast<uint32_t>(index >> 32));
  write32(iv + 8, static_cast<uint32_t>(index));
  for (size_t i = 0; i < kGcmIvBytes; i++) iv[i] ^= salt_.bytes[i];
}

// RFC 3711, section 4.1.1.
void SrtpCipher::counterIv(uint32_t ssrc, uint64_t index, uint8_t* iv) const {
  write32(iv, 0);
  write32(iv + 4, ssrc);
  write16(iv + 8, static_cast<uint32_t>(index >> 32));
  write32(iv + 10, static_cast<uint32_t>(index));
  write16(iv + 14, 0);
  for (size_t i = 0; i < kSaltBytes; i++) iv[i] ^= salt_.bytes[i];
}

SrtpSender::SrtpSender(const MasterKey& master)
    : rtp_(master, false, Direction::Encrypt), rtcp_(master, true, Direction::Encrypt) {}

size_t SrtpSender::protectRtcp(View compound, uint8_t* out) {
  const uint32_t index = rtcpIndex_;
  rtcpIndex_ = (index + 1) & 0x7fffffff;
  return rtcp_.sealRtcp(compound, index, out);
}

SrtpReceiver::SrtpReceiver(const MasterKey& master)
    : rtp_(master, false, Direction::Decrypt), rtcp_(master, true, Direction::Decrypt) {}

std::optional<size_t> SrtpReceiver::unprotectRtp(View packet, uint8_t* out, double nowMs) {
  const auto headerBytes = rtpHeaderBytes(packet);
  if (!headerBytes || packet.size() < *headerBytes + rtp_.tagBytes()) return std::nullopt;
  const uint32_t ssrc = read32(packet.data() + 8);
  const uint16_t sequence = read16(packet.data() + 2);
  auto* known = streams_.find(ssrc);
  if (known == nullptr && !streams_.mayOpen(ssrc)) return std::nullopt;
  auto opened = known == nullptr ? streams_.fresh(ssrc) : decltype(streams_)::Stream{};
  auto& stream = known == nullptr ? opened : *known;
  const int64_t highest = stream.window.highest();
  int64_t index = highest < 0 ? sequence : extendSequence(sequence, highest);
  bool authentic = stream.window.admits(index) && rtp_.openRtp(packet, *headerBytes, static_cast<uint64_t>(index), out);
  // The sender may have wrapped unseen: before the first packet arrived, or while none did.
  if (!authentic && (highest < 0 ? sequence < 0x8000 : nowMs - stream.lastMs > kLostTrackMs)) {
    index += 0x10000;
    authentic = rtp_.openRtp(packet, *headerBytes, static_cast<uint64_t>(index), out);
  }
  if (!authentic) return std::nullopt;
  stream.window.accept(index);
  stream.lastMs = nowMs;
  if (known == nullptr) streams_.open(ssrc, opened);
  return packet.size() - rtp_.tagBytes();
}

std::optional<size_t> SrtpReceiver::unprotectRtcp(View packet, uint8_t* out, double nowMs) {
  const ptrdiff_t trailerAt = rtcp_.trailerOffset(packet.size());
  if (trailerAt < 0) return std::nullopt;
  const uint32_t trailer = read32(packet.data() + trailerAt);
  const uint32_t index = trailer & ~kEncrypted;
  const uint32_t ssrc = read32(packet.data() + 4);
  if ((trailer & kEncrypted) == 0) return std::nullopt;
  auto* known = reports_.find(ssrc);
  if (known == nullptr && !reports_.mayOpen(ssrc)) return std::nullopt;
  auto opened = known == nullptr ? reports_.fresh(ssrc) : decltype(reports_)::Stream{};
  auto& stream = known == nullptr ? opened : *known;
  if (!stream.window.admits(index)) return std::nullopt;
  const auto bytes = rtcp_.openRtcp(packet, index, out);
  if (!bytes) return std::nullopt;
  stream.window.accept(index);
  stream.lastMs = nowMs;
  if (known == nullptr) reports_.open(ssrc, opened);
  return bytes;
}

}  // namespace rushlight
