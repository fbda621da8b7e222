// The picture's codec inside RTP: what a packet carries, and how an oversize one is cut, whichever codec it is.
#pragma once
#include <optional>
#include <vector>

#include "bytes.h"

namespace rushlight {

// The numbers are JavaScript's, too.
enum class Codec : uint8_t { H264 = 0, H265 = 1 };

// What matters of one RTP payload to somebody who forwards it.
struct PayloadInfo {
  // A NAL unit of a coded picture begins or goes on here: the packet belongs to a frame.
  bool picture = false;
  // A slice of a picture begins here from which decoding can begin.
  bool keyframe = false;
  // Parameter sets that lie whole in this packet. H.264 has no VPS.
  View vps;
  View sps;
  View pps;

  bool hasParameters() const { return !sps.empty() || !vps.empty(); }
};

// A payload in two parts: what is written before, and a view of the original.
struct Piece {
  uint8_t head[3] = {};
  uint8_t headBytes = 0;
  View body;
};

namespace payload {

// Malformed payloads give "nothing of interest".
PayloadInfo inspect(Codec codec, View payload);

// Splits a payload that exceeds `maxBytes` (> 4) into several, to be sent in this order with the same timestamp. One
// that fits comes back alone; of one that is too large and malformed nothing is left. NAL units are never altered.
void fit(Codec codec, View payload, size_t maxBytes, std::vector<Piece>& pieces);

// One aggregation packet of several whole NAL units.
std::vector<uint8_t> aggregate(Codec codec, const std::vector<View>& nals);

// The codec that a packet with parameter sets shows: their first bytes mean nothing in the other one. Nothing for all other packets.
std::optional<Codec> recognise(View payload);

}  // namespace payload

}  // namespace rushlight
