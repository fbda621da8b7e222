// RTP packets (RFC 3550, section 5.1).
#pragma once
#include <optional>

#include "bytes.h"

namespace rushlight {

inline constexpr size_t kRtpHeaderBytes = 12;

struct RtpPacket {
  bool marker = false;
  uint8_t payloadType = 0;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  // Without padding, extensions and contributing sources.
  View payload;
};

// True where a datagram of a multiplexed port is RTCP instead of RTP (RFC 5761, section 4).
inline bool isRtcp(View datagram) { return datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223; }

// Where the payload begins; nothing where the packet is malformed.
inline std::optional<size_t> rtpHeaderBytes(View packet) {
  if (packet.size() < kRtpHeaderBytes || packet[0] >> 6 != 2) return std::nullopt;
  size_t offset = kRtpHeaderBytes + (packet[0] & 0x0f) * 4u;
  if (packet[0] & 0x10) {
    if (offset + 4 > packet.size()) return std::nullopt;
    offset += 4 + read16(packet.data() + offset + 2) * 4u;
  }
  if (offset > packet.size()) return std::nullopt;
  return offset;
}

inline std::optional<RtpPacket> parseRtp(View packet) {
  const auto start = rtpHeaderBytes(packet);
  if (!start) return std::nullopt;
  size_t end = packet.size();
  if (packet[0] & 0x20) {
    const size_t padding = packet[end - 1];
    if (padding == 0 || *start + padding > end) return std::nullopt;
    end -= padding;
  }
  RtpPacket parsed;
  parsed.marker = (packet[1] & 0x80) != 0;
  parsed.payloadType = packet[1] & 0x7f;
  parsed.sequence = read16(packet.data() + 2);
  parsed.timestamp = read32(packet.data() + 4);
  parsed.ssrc = read32(packet.data() + 8);
  parsed.payload = packet.subspan(*start, end - *start);
  return parsed;
}

inline void writeRtpHeader(uint8_t* to, bool marker, uint8_t payloadType, uint16_t sequence, uint32_t timestamp,
                           uint32_t ssrc) {
  to[0] = 0x80;
  to[1] = static_cast<uint8_t>((marker ? 0x80 : 0) | payloadType);
  write16(to + 2, sequence);
  write32(to + 4, timestamp);
  write32(to + 8, ssrc);
}

}  // namespace rushlight
