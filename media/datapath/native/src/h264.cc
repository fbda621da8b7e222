#include "h264.h"

#include <algorithm>

namespace rushlight::h264 {

namespace {

constexpr size_t kMaxNalsPerPacket = 64;
constexpr uint8_t kStart = 0x80;
constexpr uint8_t kEnd = 0x40;

bool isPicture(uint8_t type) { return type >= Slice && type <= Idr; }

void look(View nal, PayloadInfo& info) {
  const uint8_t type = nalType(nal);
  if (isPicture(type)) info.picture = true;
  if (type == Idr) info.keyframe = true;
  if (type == Sps) info.sps = nal;
  if (type == Pps) info.pps = nal;
}

// `edges` says whether the body begins and ends a NAL unit.
void fragment(uint8_t indicator, uint8_t type, uint8_t edges, View body, size_t maxBytes, std::vector<Piece>& pieces) {
  const size_t room = maxBytes - 2;
  for (size_t offset = 0; offset < body.size(); offset += room) {
    const size_t bytes = std::min(room, body.size() - offset);
    const uint8_t first = offset == 0 ? edges & kStart : 0;
    const uint8_t last = offset + room >= body.size() ? edges & kEnd : 0;
    Piece piece;
    piece.head[0] = indicator;
    piece.head[1] = first | last | type;
    piece.headBytes = 2;
    piece.body = body.subspan(offset, bytes);
    pieces.push_back(piece);
  }
}

void fitNal(View nal, size_t maxBytes, std::vector<Piece>& pieces) {
  if (nal.size() <= maxBytes) pieces.push_back({{}, 0, nal});
  else fragment((nal[0] & 0xe0) | FuA, nalType(nal), kStart | kEnd, nal.subspan(1), maxBytes, pieces);
}

}  // namespace

PayloadInfo inspect(View payload) {
  PayloadInfo info;
  const uint8_t type = nalType(payload);
  if (type == FuA) {
    if (payload.size() < 2) return info;
    const uint8_t inner = payload[1] & 0x1f;
    info.picture = isPicture(inner);
    info.keyframe = inner == Idr && (payload[1] & kStart) != 0;
    return info;
  }
  if (type != StapA) {
    look(payload, info);
    return info;
  }
  if (const auto nals = splitStapA(payload)) {
    for (const View nal : *nals) look(nal, info);
  }
  return info;
}

std::optional<std::vector<View>> splitStapA(View payload) {
  std::vector<View> nals;
  size_t offset = 1;
  while (offset < payload.size()) {
    if (offset + 2 > payload.size() || nals.size() >= kMaxNalsPerPacket) return std::nullopt;
    const size_t length = read16(payload.data() + offset);
    offset += 2;
    if (length == 0 || offset + length > payload.size()) return std::nullopt;
    const View nal = payload.subspan(offset, length);
    if (nalType(nal) >= StapA) return std::nullopt;
    nals.push_back(nal);
    offset += length;
  }
  return nals;
}

std::vector<uint8_t> buildStapA(const std::vector<View>& nals) {
  std::vector<uint8_t> packet(1);
  uint8_t importance = 0;
  for (const View nal : nals) {
    importance = std::max<uint8_t>(importance, nal[0] & 0x60);
    packet.push_back(static_cast<uint8_t>(nal.size() >> 8));
    packet.push_back(static_cast<uint8_t>(nal.size()));
    packet.insert(packet.end(), nal.begin(), nal.end());
  }
  packet[0] = importance | StapA;
  return packet;
}

void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces) {
  pieces.clear();
  const uint8_t type = nalType(payload);
  if (payload.size() <= maxBytes) {
    pieces.push_back({{}, 0, payload});
  } else if (type == StapA) {
    const auto nals = splitStapA(payload);
    if (nals) for (const View nal : *nals) fitNal(nal, maxBytes, pieces);
  } else if (type == FuA) {
    const uint8_t header = payload[1];
    fragment(payload[0], header & 0x1f, header & (kStart | kEnd), payload.subspan(2), maxBytes, pieces);
  } else if (type >= 1 && type < StapA) {
    fitNal(payload, maxBytes, pieces);
  }
}

bool showsItself(View payload) {
  if (payload.empty() || (payload[0] & 0x80) != 0) return false;
  return !inspect(payload).sps.empty();
}

}  // namespace rushlight::h264
