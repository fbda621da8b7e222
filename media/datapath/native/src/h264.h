// H.264 inside RTP (RFC 6184, packetization modes 0 and 1): what a packet carries, and how an oversize one is cut.
#pragma once
#include <optional>
#include <vector>

#include "bytes.h"

namespace rushlight::h264 {

enum NalType : uint8_t { Slice = 1, Idr = 5, Sps = 7, Pps = 8, StapA = 24, FuA = 28 };

inline uint8_t nalType(View nal) { return nal.empty() ? 0 : nal[0] & 0x1f; }

// What matters of one RTP payload to somebody who forwards it.
struct PayloadInfo {
  // A NAL unit of a coded picture begins or goes on here: the packet belongs to a frame.
  bool picture = false;
  // An IDR picture's slice begins here.
  bool idr = false;
  // Parameter sets that lie whole in this packet.
  View sps;
  View pps;
};

// Malformed payloads give "nothing of interest".
PayloadInfo inspect(View payload);

// The NAL units of an aggregation packet; nothing where it is malformed, which one within another is, too.
std::optional<std::vector<View>> splitStapA(View payload);

// One aggregation packet of several whole NAL units.
std::vector<uint8_t> buildStapA(const std::vector<View>& nals);

// A payload in two parts: what is written before, and a view of the original.
struct Piece {
  uint8_t head[2] = {};
  uint8_t headBytes = 0;
  View body;
};

// Splits a payload that exceeds `maxBytes` (> 3) into several, to be sent in this order with the same timestamp. One
// that fits comes back alone; of one that is too large and malformed nothing is left. NAL units are never altered.
void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces);

}  // namespace rushlight::h264
