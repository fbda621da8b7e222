#include "h265.h"

#include <algorithm>

namespace rushlight::h265 {

namespace {

constexpr size_t kMaxNalsPerPacket = 64;
constexpr size_t kFuHeaderBytes = kHeaderBytes + 1;
constexpr uint8_t kStart = 0x80;
constexpr uint8_t kEnd = 0x40;
constexpr uint8_t kTypeBits = 0x3f;

bool isPicture(uint8_t type) { return type <= LastPicture; }
bool isIrap(uint8_t type) { return type >= FirstIrap && type <= LastIrap; }
uint8_t firstByte(uint8_t original, uint8_t type) { return static_cast<uint8_t>((original & 0x81) | type << 1); }

void look(View nal, PayloadInfo& info) {
  const uint8_t type = nalType(nal);
  if (isPicture(type)) info.picture = true;
  if (isIrap(type)) info.keyframe = true;
  if (type == Vps) info.vps = nal;
  if (type == Sps) info.sps = nal;
  if (type == Pps) info.pps = nal;
}

// `header` is that of the NAL unit or of the packet; `edges` says whether the body begins and ends a NAL unit.
void fragment(View header, uint8_t type, uint8_t edges, View body, size_t maxBytes, std::vector<Piece>& pieces) {
  const size_t room = maxBytes - kFuHeaderBytes;
  for (size_t offset = 0; offset < body.size(); offset += room) {
    const size_t bytes = std::min(room, body.size() - offset);
    const uint8_t first = offset == 0 ? edges & kStart : 0;
    const uint8_t last = offset + room >= body.size() ? edges & kEnd : 0;
    Piece piece;
    piece.head[0] = firstByte(header[0], Fu);
    piece.head[1] = header[1];
    piece.head[2] = first | last | type;
    piece.headBytes = kFuHeaderBytes;
    piece.body = body.subspan(offset, bytes);
    pieces.push_back(piece);
  }
}

void fitNal(View nal, size_t maxBytes, std::vector<Piece>& pieces) {
  if (nal.size() <= maxBytes) pieces.push_back({{}, 0, nal});
  else fragment(nal, nalType(nal), kStart | kEnd, nal.subspan(kHeaderBytes), maxBytes, pieces);
}

}  // namespace

PayloadInfo inspect(View payload) {
  PayloadInfo info;
  const uint8_t type = nalType(payload);
  if (type == Fu) {
    if (payload.size() < kFuHeaderBytes) return info;
    const uint8_t inner = payload[2] & kTypeBits;
    info.picture = isPicture(inner);
    info.keyframe = isIrap(inner) && (payload[2] & kStart) != 0;
  } else if (type == Ap) {
    if (const auto nals = splitAp(payload)) {
      for (const View nal : *nals) look(nal, info);
    }
  } else if (type < Ap) {
    look(payload, info);
  }
  return info;
}

std::optional<std::vector<View>> splitAp(View payload) {
  std::vector<View> nals;
  size_t offset = kHeaderBytes;
  while (offset < payload.size()) {
    if (offset + 2 > payload.size() || nals.size() >= kMaxNalsPerPacket) return std::nullopt;
    const size_t length = read16(payload.data() + offset);
    offset += 2;
    if (length < kHeaderBytes || offset + length > payload.size()) return std::nullopt;
    const View nal = payload.subspan(offset, length);
    if (nalType(nal) >= Ap) return std::nullopt;
    nals.push_back(nal);
    offset += length;
  }
  return nals;
}

// Layer and temporal id are the lowest of those that it carries (RFC 7798, section 4.4.2).
std::vector<uint8_t> buildAp(const std::vector<View>& nals) {
  std::vector<uint8_t> packet(kHeaderBytes);
  uint8_t layer = 0x3f;
  uint8_t temporal = 7;
  for (const View nal : nals) {
    layer = std::min<uint8_t>(layer, static_cast<uint8_t>((nal[0] & 1) << 5 | nal[1] >> 3));
    temporal = std::min<uint8_t>(temporal, nal[1] & 7);
    packet.push_back(static_cast<uint8_t>(nal.size() >> 8));
    packet.push_back(static_cast<uint8_t>(nal.size()));
    packet.insert(packet.end(), nal.begin(), nal.end());
  }
  packet[0] = static_cast<uint8_t>(Ap << 1 | layer >> 5);
  packet[1] = static_cast<uint8_t>(layer << 3 | temporal);
  return packet;
}

void fit(View payload, size_t maxBytes, std::vector<Piece>& pieces) {
  pieces.clear();
  const uint8_t type = nalType(payload);
  if (payload.size() <= maxBytes) {
    pieces.push_back({{}, 0, payload});
  } else if (type == Ap) {
    const auto nals = splitAp(payload);
    if (nals) for (const View nal : *nals) fitNal(nal, maxBytes, pieces);
  } else if (type == Fu) {
    const uint8_t header = payload[2];
    fragment(payload, header & kTypeBits, header & (kStart | kEnd), payload.subspan(kFuHeaderBytes), maxBytes, pieces);
  } else if (type < Ap) {
    fitNal(payload, maxBytes, pieces);
  }
}

bool showsItself(View payload) {
  if (payload.size() < kHeaderBytes || (payload[0] & 0x81) != 0) return false;
  return !inspect(payload).vps.empty();
}

}  // namespace rushlight::h265
