// H.265 inside RTP (RFC 7798, single transmission without decoding order numbers).
#pragma once
#include <optional>
#include <vector>

#include "video-payload.h"

namespace rushlight::h265 {

inline constexpr size_t kHeaderBytes = 2;
enum NalType : uint8_t { FirstIrap = 16, LastIrap = 21, LastPicture = 31, Vps = 32, Sps = 33, Pps = 34, Ap = 48, Fu = 49 };

inline uint8_t nalType(View nal) { return nal.size() < kHeaderBytes ? 63 : (nal[0] >> 1) & 0x3f; }

PayloadInfo inspect(View payload);

// The NAL units of an aggregation packet; nothing where it is malformed, which one within another is, too.
std::optional<std::vector<View>> splitAp(View payload);
std::vector<uint8_t> buildAp(const std::vector<View>& nals);
void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces);

// It has a video parameter set, whose type H.264 leaves unused.
bool showsItself(View payload);

}  // namespace rushlight::h265
