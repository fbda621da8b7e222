// H.264 inside RTP (RFC 6184, packetization modes 0 and 1): what a packet contains, and how to split an oversize one.
#pragma once
#include <optional>
#include <vector>

#include "video-payload.h"

namespace rushlight::h264 {

enum NalType : uint8_t { Slice = 1, Idr = 5, Sps = 7, Pps = 8, StapA = 24, FuA = 28 };

inline uint8_t nalType(View nal) { return nal.empty() ? 0 : nal[0] & 0x1f; }

PayloadInfo inspect(View payload);

// The NAL units of an aggregation packet; nothing if it is malformed or nested.
std::optional<std::vector<View>> splitStapA(View payload);

// One aggregation packet of several whole NAL units.
std::vector<uint8_t> buildStapA(const std::vector<View>& nals);

void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces);

// It has a sequence parameter set, whose first byte no H.265 of one layer has.
bool showsItself(View payload);

}  // namespace rushlight::h264
