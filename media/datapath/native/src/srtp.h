// SRTP and SRTCP of one session (RFC 3711; RFC 7714 for GCM).
#pragma once
#include <optional>

#include "crypto.h"
#include "replay-window.h"

namespace rushlight {

enum class SrtpProfile : uint8_t { AeadAes128Gcm, Aes128CmHmacSha1_80 };

inline constexpr size_t kSaltBytes = 14;
// Maximum that protection adds to RTP and to RTCP.
inline constexpr size_t kSrtpOverhead = 16;
inline constexpr size_t kSrtcpOverhead = 20;

// Keys of one direction, as DTLS exports them (RFC 5764, section 4.2). GCM uses 12 bytes of the salt.
struct MasterKey {
  SrtpProfile profile = SrtpProfile::AeadAes128Gcm;
  Secret<kAesKeyBytes> key;
  Secret<kSaltBytes> salt;
};

// Encrypts or decrypts one kind of stream in one direction.
class SrtpCipher {
 public:
  SrtpCipher(const MasterKey& master, bool rtcp, Direction direction);
  // Writes body and tag to `out`, which already has its 12-byte header. `index` is the 48-bit packet index.
  size_t sealRtp(uint8_t* packet, size_t headerBytes, uint64_t index, View body);
  // Decrypts into `out` (with the header); false if the packet is not authentic.
  bool openRtp(View packet, size_t headerBytes, uint64_t index, uint8_t* out);
  size_t sealRtcp(View compound, uint32_t index, uint8_t* out);
  std::optional<size_t> openRtcp(View packet, uint32_t index, uint8_t* out);
  size_t tagBytes() const { return gcm_ ? kGcmTagBytes : kHmacTagBytes; }
  // Position of the SRTCP index; negative if the packet is too short for one.
  ptrdiff_t trailerOffset(size_t packetBytes) const;

 private:
  static constexpr size_t kHmacTagBytes = 10;
  void gcmIv(uint32_t ssrc, uint64_t index, uint8_t* iv) const;
  void counterIv(uint32_t ssrc, uint64_t index, uint8_t* iv) const;

  Secret<kSaltBytes> salt_;
  std::optional<AesGcm> gcm_;
  std::optional<AesCtr> counter_;
  std::optional<HmacSha1> hmac_;
};

class SrtpSender {
 public:
  explicit SrtpSender(const MasterKey& master);
  // `packet` begins with a written 12-byte header, followed by the protected body. Returns the total length.
  size_t protectRtp(uint8_t* packet, int64_t extendedSequence, View payload) {
    return rtp_.sealRtp(packet, 12, static_cast<uint64_t>(extendedSequence), payload);
  }
  size_t protectRtcp(View compound, uint8_t* out);

 private:
  SrtpCipher rtp_;
  SrtpCipher rtcp_;
  uint32_t rtcpIndex_ = 0;
};

class SrtpReceiver {
 public:
  explicit SrtpReceiver(const MasterKey& master);
  // Length of the plain packet in `out`; nothing if it is malformed, forged or replayed.
  std::optional<size_t> unprotectRtp(View packet, uint8_t* out, double nowMs);
  std::optional<size_t> unprotectRtcp(View packet, uint8_t* out, double nowMs);

 private:
  SrtpCipher rtp_;
  SrtpCipher rtcp_;
  ReplayWindows<1024> streams_;
  // One for each SSRC: a session's sources count their reports separately (RFC 3711, section 3.3.2).
  ReplayWindows<128> reports_;
};

}  // namespace rushlight
