// RTP packets (RFC 3550, section 5.1).
#pragma once
#include <algorithm>
#include <optional>
#include <string_view>

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

// True if a datagram on a multiplexed port is RTCP instead of RTP (RFC 5761, section 4).
inline bool isRtcp(View datagram) { return datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223; }

// Start of the payload; nothing if the packet is malformed.
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

// The text of the header extension (RFC 8285) with this number; empty if there is none.
inline std::string_view rtpExtension(View packet, int id) {
  const size_t at = kRtpHeaderBytes + (packet[0] & 0x0f) * 4u;
  if ((packet[0] & 0x10) == 0 || id <= 0 || at + 4 > packet.size()) return {};
  const uint16_t profile = read16(packet.data() + at);
  const bool oneByte = profile == 0xbede;
  if (!oneByte && (profile & 0xfff0) != 0x1000) return {};
  const size_t end = std::min(packet.size(), at + 4 + read16(packet.data() + at + 2) * 4u);
  for (size_t i = at + 4; i < end;) {
    if (packet[i] == 0) {
      i++;
      continue;
    }
    if (!oneByte && i + 1 >= end) return {};
    const int found = oneByte ? packet[i] >> 4 : packet[i];
    const size_t length = oneByte ? (packet[i] & 0x0f) + 1u : packet[i + 1];
    i += oneByte ? 1 : 2;
    if ((oneByte && found == 15) || i + length > end) return {};
    if (found == id) return {reinterpret_cast<const char*>(packet.data() + i), length};
    i += length;
  }
  return {};
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
