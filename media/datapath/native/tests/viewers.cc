// What a viewer gets: its numbers and times, also when it falls behind or its layer ends.
#include <map>
#include <random>

#include "../src/ring.h"
#include "../src/rtcp.h"
#include "../src/rtp.h"
#include "../src/sequence-map.h"
#include "../src/session.h"
#include "../src/sink.h"
#include "../src/source.h"
#include "../src/srtp.h"
#include "../src/stun.h"
#include "check.h"


using namespace rushlight;

namespace {

void ring() {
  std::mt19937 random(1);
  PacketRing ring(64 * 1024);
  std::map<int64_t, std::vector<uint8_t>> model;
  int64_t next = 100;
  for (int i = 0; i < 20'000; i++) {
    const int64_t sequence = random() % 8 == 0 ? next - 1 - static_cast<int64_t>(random() % 20) : next;
    next = std::max(next, sequence + 1 + (random() % 16 == 0 ? 1 : 0));
    std::vector<uint8_t> payload(random() % 1300, static_cast<uint8_t>(sequence));
    if (sequence >= 0 && ring.put(sequence, 0, false, {}, payload, i)) {
      CHECK(model.emplace(sequence, payload).second);
    }
    if (i % 1000 == 500) ring.keepFrom(ring.head());
    CHECK(ring.bytes() <= 64 * 1024 + 1300);
    for (int64_t asked = ring.tail(); asked <= ring.head(); asked++) {
      const StoredPacket* packet = ring.get(asked);
      const auto known = model.find(asked);
      CHECK((packet != nullptr) == (known != model.end()));
      if (packet != nullptr && i % 97 == 0) CHECK(sameBytes(packet->view(), known->second));
    }
  }
}

void sequences() {
  SequenceMap map(100);
  map.continueAt(1000);
  CHECK(map.toViewer(1000) == 100 && map.toViewer(1002) == 102 && !map.toViewer(999));
  // What was not sent in the end leaves no gap.
  CHECK(map.next() == 100);
  map.sent(102);
  map.sent(101);
  // Neither does what was to come first.
  map.continueAt(1500, 1);
  CHECK(map.next() == 103 && map.toViewer(1500) == 104);
  map.continueAt(2000, 1);
  CHECK(map.next() == 103 && map.toViewer(2000) == 104);
  map.sent(103);
  map.sent(104);
  CHECK(map.toTrack(104) == 2000 && map.toTrack(101) == 1001);
  CHECK(!map.toTrack(103) && !map.toTrack(99) && !map.toTrack(105));
}

void sendPicture(Track& track, Context& context, uint16_t& sequence, uint32_t timestamp, bool keyframe, size_t bytes = 300) {
  const auto send = [&](std::vector<uint8_t> payload) {
    RtpPacket packet;
    packet.ssrc = 7;
    packet.sequence = sequence++;
    packet.timestamp = timestamp;
    packet.payload = payload;
    track.write(packet, context);
  };
  if (keyframe) send({0x67, 0x42, 0xc0, 0x1f, 0xda});
  if (keyframe) send({0x68, 0xce, 0x3c, 0x80});
  std::vector<uint8_t> slice(bytes, 1);
  slice[0] = keyframe ? 0x65 : 0x41;
  send(slice);
}

// Somebody whose place in the memory was overwritten gets nothing before the next keyframe: pictures would be torn.
void fallenBehind() {
  Context context;
  context.nowMs = 5000;
  Track video(2, Kind::Video, kVideoClockHz);
  Sink tap({4, 0, 0, false, ""}, &video, nullptr);
  uint16_t sequence = 0;
  tap.join(0, 0, context);
  sendPicture(video, context, sequence, 0, true);
  tap.pump(context);
  CHECK(tap.stats().packets == 3);
  for (uint32_t i = 1; i <= 25'000; i++) sendPicture(video, context, sequence, i * 100, false, 1400);
  while (context.events.pop()) {
  }
  for (int i = 0; i < 20; i++) {
    context.nowMs += 2;
    tap.pump(context);
  }
  CHECK(tap.stats().packets == 3);
  sendPicture(video, context, sequence, 2'600'000, true);
  tap.pump(context);
  CHECK(tap.stats().packets == 6);
}

// Layers of a publisher end in any order, and none refers to a session that is gone.
void layersEnd() {
  const DtlsIdentity identity;
  Names names;
  Context context;
  Track video(2, Kind::Video, kVideoClockHz);
  Track low(3, Kind::Video, kVideoClockHz);
  for (const bool named : {true, false}) {
    auto session = std::make_unique<Session>(SessionOptions{1, false, 10'000}, names, identity);
    SourceOptions options;
    auto full = std::make_unique<Source>(options, &video, nullptr, session.get());
    Source small(options, &low, nullptr, session.get());
    if (named) small.nameLayer({"low", 1, 2}, full.get(), context);
    full.reset();
    session.reset();
    small.tick(context);
    small.requestKeyframe(context);
  }
}

// The clock of this machine is set while pictures flow: the time line in reports to viewers continues.
void clockSet() {
  Context context;
  context.nowMs = 5000;
  context.unixMs = 1.7e12;
  Endpoint local = *Endpoint::parse("127.0.0.1", 0);
  Endpoint peer = local;
  MediaSocket socket(1, openUdpSocket(local), local, SocketUse::Shared);
  const int viewer = openUdpSocket(peer);
  const DtlsIdentity identity;
  Names names;
  Session session({2, false, 10'000}, names, identity);
  session.setIce({"here", "password", "there", "remote"});
  session.setKeys({}, {}, context);
  session.receiveStun(socket, peer, stun::buildCheck({}, "here:there", {}, "password"), context);
  Track video(3, Kind::Video, kVideoClockHz);
  SourceOptions options;
  options.tellsCaptureTime = true;
  Source source(options, &video, nullptr, nullptr);
  Sink sink({4, 1, 96, false, "name"}, &video, &session);
  sink.join(0, 0, context);
  SrtpReceiver receiver({});
  uint16_t sequence = 0;
  // The timestamp of the newest sender report.
  const auto reported = [&] {
    uint8_t bytes[2048];
    uint8_t plain[2048];
    std::optional<uint32_t> timestamp;
    socket.queue.flush(context.counters);
    ssize_t length;
    while ((length = recv(viewer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
      const View datagram = {bytes, static_cast<size_t>(length)};
      if (isRtcp(datagram) && receiver.unprotectRtcp(datagram, plain, 0) && plain[1] == 200) timestamp = read32(plain + 16);
    }
    return timestamp;
  };
  const auto show = [&](uint32_t timestamp) {
    context.nowMs += 1000;
    context.unixMs += 1000;
    sendPicture(video, context, sequence, timestamp, timestamp == 0);
    sink.pump(context);
    sink.tick(context);
    return reported();
  };
  show(0);
  rtcp::Builder report;
  report.senderReport({7, rtcp::ntpOfUnixMs(context.unixMs), 0, 0, 0});
  source.receiveIngest(Kind::Video, report.bytes(), context);
  const auto before = show(90'000);
  context.unixMs += 3'600'000;
  const auto after = show(180'000);
  CHECK(before && after && *after - *before == 90'000);
  close(viewer);
}

}  // namespace

int main() {
  ring();
  sequences();
  fallenBehind();
  layersEnd();
  clockSet();
  std::puts("viewers: all good");
}
