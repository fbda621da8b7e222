// H.264 inside RTP (RFC 6184, packetization modes 0 and 1): what a packet contains, and how to split an oversize one.
#pragma once
#include <optional>
#include <vector>

#include "bytes.h"

namespace rushlight::h264 {

enum NalType : uint8_t { Slice = 1, Idr = 5, Sps = 7, Pps = 8, StapA = 24, FuA = 28 };

inline uint8_t nalType(View nal) { return nal.empty() ? 0 : nal[0] & 0x1f; }

// The parts of an RTP payload that matter to a forwarder.
struct PayloadInfo {
  // A NAL unit of a coded picture begins or continues here: the packet belongs to a frame.
  bool picture = false;
  // A slice of an IDR picture begins here.
  bool idr = false;
  // Parameter sets that are completely inside this packet.
  View sps;
  View pps;
};

// Malformed payloads give "nothing of interest".
PayloadInfo inspect(View payload);

// The NAL units of an aggregation packet; nothing if it is malformed or nested.
std::optional<std::vector<View>> splitStapA(View payload);

// One aggregation packet of several whole NAL units.
std::vector<uint8_t> buildStapA(const std::vector<View>& nals);

// A payload in two parts: bytes to write first, and a view of the original.
struct Piece {
  uint8_t head[2] = {};
  uint8_t headBytes = 0;
  View body;
};

// Splits a payload that exceeds `maxBytes` (> 3) into several, to be sent in this order with the same timestamp. A
// payload that fits is returned alone; an oversize malformed one yields nothing. NAL units are never altered.
void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces);

}  // namespace rushlight::h264
