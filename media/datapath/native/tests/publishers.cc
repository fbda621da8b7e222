// What comes from a publisher: its numbers, times, losses, and what arrives too early.
#include <random>
#include <set>

#include "../src/clocks.h"
#include "../src/normalizer.h"
#include "../src/reception.h"
#include "../src/rtcp.h"
#include "../src/rtp.h"
#include "../src/session.h"
#include "../src/source-guard.h"
#include "../src/source.h"
#include "../src/srtp.h"
#include "check.h"


using namespace rushlight;

namespace {

void normalizer() {
  std::mt19937 random(2);
  StreamNormalizer normalizer(90'000, 65'536, 1);
  std::set<int64_t> placed;
  uint32_t ssrc = 1;
  uint16_t sequence = 65'000;
  uint32_t timestamp = 0;
  normalizer.begin(ssrc, sequence, timestamp, 0);
  int64_t highest = 0;
  for (int i = 0; i < 50'000; i++) {
    if (random() % 500 == 0) normalizer.begin(++ssrc, sequence = static_cast<uint16_t>(random()), timestamp = random(), i);
    if (random() % 300 == 0) timestamp = random();
    const auto place = normalizer.place(sequence, timestamp, 1 + static_cast<int>(random() % 3), i);
    sequence = static_cast<uint16_t>(sequence + static_cast<int>(random() % 7) - 2);
    timestamp += 300;
    if (!place) continue;
    // No number is given twice, and none is skipped by much.
    for (int n = 0; n < place->width; n++) CHECK(placed.insert(place->sequence + n).second);
    if (highest > 0 && !place->late) CHECK(place->sequence > highest && place->sequence < highest + 64);
    highest = std::max(highest, place->sequence + place->width - 1);
  }
}

void sources() {
  SourceGuard guard;
  std::vector<uint16_t> taken;
  double nowMs = 0;
  const auto send = [&](uint32_t ssrc, uint16_t sequence, uint32_t timestamp) {
    RtpPacket packet;
    packet.ssrc = ssrc;
    packet.sequence = sequence;
    packet.timestamp = timestamp;
    guard.admit(packet, nowMs += 5, [&](const RtpPacket& one, bool) { taken.push_back(one.sequence); });
  };
  // Two layers at once: the first one stays.
  for (uint16_t i = 0; i < 50; i++) {
    send(1, i, i * 3000u);
    send(2, static_cast<uint16_t>(1000 + i), i * 3000u);
  }
  CHECK(taken.size() == 50 && taken.back() == 49);
  // The first one ends: the pictures of the other arrive complete once it is proven.
  for (uint16_t i = 50; i < 55; i++) send(2, static_cast<uint16_t>(1000 + i), i * 3000u);
  CHECK(taken.back() == 1054);
  const size_t before = taken.size();
  send(2, 40'000, 0);
  send(2, 1055, 165'000);
  CHECK(taken.size() == before + 1);
}

void clocks() {
  PublisherClock clock;
  CHECK(clock.toLocal(1000, 5000) == 5000 && clock.toLocal(2000, 6100) == 6000);
  CHECK(clock.toLocal(9'000'000, 7000) == 7000 && clock.toLocal(9'001'000, 8100) == 8000);
  CHECK(std::abs(rtcp::unixMsOfNtp(rtcp::ntpOfUnixMs(1.7e12)) - 1.7e12) < 0.01);
}

// Missing packets are requested up to a limit. Beyond it, or if a gap is too large, only a keyframe helps: at once.
void gaps() {
  NackGenerator nacks;
  nacks.arrived(0, 0);
  CHECK(nacks.arrived(600, 0) && nacks.takeAbandoned() && nacks.pending() == 0);
  bool abandoned = false;
  for (int64_t packet = 1; packet <= 1000; packet++) {
    CHECK(nacks.arrived(600 + packet * 500, 0));
    CHECK(nacks.pending() <= 1024);
    abandoned |= nacks.takeAbandoned();
  }
  CHECK(abandoned);
}

// A step back of the publisher's time line starts a new line, which the next report describes.
void captureDelays() {
  CaptureDelay delay(kVideoClockHz);
  delay.noteReport(900'000, 10'000);
  delay.noteArrival(903'000, 10'100);
  CHECK(std::abs(*delay.ms() - 66.7) < 0.1);
  delay.noteArrival(3000, 10'200);
  CHECK(!delay.ms());
  delay.noteReport(3000, 10'180);
  delay.noteArrival(6000, 10'233);
  CHECK(std::abs(*delay.ms() - 19.7) < 0.1);
}

// Reports about another time line, or none, say nothing about the feed's.
void reportTimes() {
  StreamNormalizer normalizer(90'000, 65'536, 1);
  normalizer.begin(1, 10, 90'000, 0);
  CHECK(normalizer.place(10, 90'000, 1, 0)->timestamp == 1);
  CHECK(normalizer.timestampOf(1, 90'000, 0) == 1u && normalizer.timestampOf(1, 180'000, 1000) == 90'001u);
  CHECK(!normalizer.timestampOf(1, 0x80000000, 1000) && !normalizer.timestampOf(1, 90'000, 20'000) && !normalizer.timestampOf(2, 90'000, 0));
}

// Packets of a publisher before it has keys or a feed here are not lost; unclaimed ones are dropped.
void heldPackets() {
  const DtlsIdentity identity;
  Names names;
  Context context;
  Session session({1, false, 10'000}, names, identity);
  Track video(2, Kind::Video, kVideoClockHz);
  const MasterKey key;
  SrtpSender publisher(key);
  std::vector<uint8_t> scratch(2048);
  const auto send = [&](uint16_t sequence) {
    const std::vector<uint8_t> sps = {0x67, 0x42, 0xc0, 0x1f, 0xda};
    std::vector<uint8_t> packet(kRtpHeaderBytes + sps.size() + kSrtpOverhead);
    writeRtpHeader(packet.data(), false, 96, sequence, 3000, 42);
    packet.resize(publisher.protectRtp(packet.data(), sequence, sps));
    session.receive({}, packet, scratch.data(), context);
  };
  send(1);
  context.nowMs = 2000;
  session.tick(context);
  for (uint16_t sequence = 2; sequence < 5; sequence++) send(sequence);
  session.setKeys(key, key, context);
  for (uint16_t sequence = 5; sequence < 8; sequence++) send(sequence);
  SourceOptions options;
  options.handle = 3;
  options.videoPayloadType = 96;
  Source source(options, &video, nullptr, &session);
  session.releaseHeld(context);
  send(8);
  CHECK(source.packetsExpected() == 7);
  CHECK(source.packetsLost() == 0);
}

// Packets of several layers that came before their sources: each layer gets its own, however they arrived.
void heldLayers() {
  const DtlsIdentity identity;
  Names names;
  Context context;
  context.nowMs = 5000;
  Session session({1, false, 10'000}, names, identity);
  const MasterKey key;
  SrtpSender publisher(key);
  std::vector<uint8_t> scratch(2048);
  const auto send = [&](uint32_t ssrc, uint16_t sequence, const char* rid, std::vector<uint8_t> payload) {
    // With the layer's name, of three letters, in a header extension.
    std::vector<uint8_t> plain = {0xbe, 0xde, 0, 1, 0x12, 0, 0, 0};
    std::memcpy(plain.data() + 5, rid, 3);
    std::vector<uint8_t> header(kRtpHeaderBytes);
    writeRtpHeader(header.data(), false, 96, sequence, 3000, ssrc);
    header[0] |= 0x10;
    header.insert(header.end(), plain.begin(), plain.end());
    std::vector<uint8_t> packet(header);
    packet.resize(header.size() + payload.size() + kSrtpOverhead);
    packet.resize(SrtpCipher(key, false, Direction::Encrypt).sealRtp(packet.data(), header.size(), sequence, payload));
    session.receive({}, packet, scratch.data(), context);
  };
  const auto keyframe = [&](uint32_t ssrc, const char* rid, uint8_t level) {
    send(ssrc, 1, rid, {0x67, 0x42, 0xc0, level, 0xda});
    send(ssrc, 2, rid, {0x68, 0xce, 0x3c, 0x80});
    send(ssrc, 3, rid, {0x65, level});
  };
  session.setKeys(key, key, context);
  keyframe(10, "low", 0x0c);
  keyframe(20, "big", 0x1f);
  Track video(2, Kind::Video, kVideoClockHz);
  Track low(3, Kind::Video, kVideoClockHz);
  SourceOptions options;
  options.videoPayloadType = 96;
  options.layered = true;
  Source full(options, &video, nullptr, &session);
  full.nameLayer({"big", 1, 2}, nullptr, context);
  Source small(options, &low, nullptr, &session);
  small.nameLayer({"low", 1, 2}, &full, context);
  CHECK(video.keyframe() >= 0 && video.ring().get(video.keyframe())->view()[3] == 0x1f);
  CHECK(low.keyframe() >= 0 && low.ring().get(low.keyframe())->view()[3] == 0x0c);
}

}  // namespace

int main() {
  normalizer();
  sources();
  clocks();
  gaps();
  captureDelays();
  reportTimes();
  heldPackets();
  heldLayers();
  std::puts("publishers: all good");
}
