#include "video-payload.h"

#include "h264.h"
#include "h265.h"

namespace rushlight::payload {

PayloadInfo inspect(Codec codec, View payload) { return codec == Codec::H265 ? h265::inspect(payload) : h264::inspect(payload); }

void fit(Codec codec, View payload, size_t maxBytes, std::vector<Piece>& pieces) {
  if (codec == Codec::H265) h265::fit(payload, maxBytes, pieces);
  else h264::fit(payload, maxBytes, pieces);
}

std::vector<uint8_t> aggregate(Codec codec, const std::vector<View>& nals) {
  return codec == Codec::H265 ? h265::buildAp(nals) : h264::buildStapA(nals);
}

std::optional<Codec> recognise(View payload) {
  if (h265::showsItself(payload)) return Codec::H265;
  if (h264::showsItself(payload)) return Codec::H264;
  return std::nullopt;
}

}  // namespace rushlight::payload
