// Separate parts of the native datapath under sanitizers. `npm run test:native` runs this.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "../src/clocks.h"
#include "../src/engine.h"
#include "../src/h264.h"
#include "../src/h265.h"
#include "../src/normalizer.h"
#include "../src/queue.h"
#include "../src/reception.h"
#include "../src/ring.h"
#include "../src/rtcp.h"
#include "../src/rtp.h"
#include "../src/sequence-map.h"
#include "../src/session.h"
#include "../src/sink.h"
#include "../src/source.h"
#include "../src/source-guard.h"
#include "../src/srtp.h"
#include "../src/stream-framer.h"
#include "../src/stream-queue.h"
#include "../src/stun.h"
#include "check.h"

using namespace rushlight;

namespace {

MasterKey masterKey(SrtpProfile profile) {
  MasterKey master;
  master.profile = profile;
  for (size_t i = 0; i < kAesKeyBytes; i++) master.key.bytes[i] = static_cast<uint8_t>(i);
  for (size_t i = 0; i < kSaltBytes; i++) master.salt.bytes[i] = static_cast<uint8_t>(0xf0 + i);
  return master;
}

std::vector<uint8_t> protect(SrtpSender& sender, int64_t extended, uint32_t ssrc = 7) {
  std::vector<uint8_t> packet(kRtpHeaderBytes + 100 + kSrtpOverhead);
  writeRtpHeader(packet.data(), true, 96, static_cast<uint16_t>(extended), 90, ssrc);
  const std::vector<uint8_t> payload(100, 0x5a);
  packet.resize(sender.protectRtp(packet.data(), extended, payload));
  return packet;
}

bool opens(SrtpReceiver& receiver, View packet, double nowMs = 0) {
  std::vector<uint8_t> plain(packet.size());
  const auto bytes = receiver.unprotectRtp(packet, plain.data(), nowMs);
  if (bytes) CHECK(*bytes == kRtpHeaderBytes + 100 && plain[kRtpHeaderBytes] == 0x5a);
  return bytes.has_value();
}

std::vector<uint8_t> report(SrtpSender& sender, uint32_t ssrc) {
  rtcp::Builder compound;
  compound.receiverReport(ssrc, {});
  std::vector<uint8_t> packet(compound.bytes().size() + kSrtcpOverhead);
  packet.resize(sender.protectRtcp(compound.bytes(), packet.data()));
  return packet;
}

bool opensReport(SrtpReceiver& receiver, View packet, double nowMs = 0) {
  std::vector<uint8_t> plain(packet.size());
  return receiver.unprotectRtcp(packet, plain.data(), nowMs).has_value();
}

void srtp(SrtpProfile profile) {
  const MasterKey master = masterKey(profile);
  SrtpSender sender(master);
  SrtpReceiver receiver(master);
  for (int64_t extended = 65'000; extended < 67'000; extended++) {
    const auto packet = protect(sender, extended);
    CHECK(opens(receiver, packet));
    CHECK(!opens(receiver, packet));
  }
  auto altered = protect(sender, 67'001);
  altered[20] ^= 1;
  CHECK(!opens(receiver, altered));
  // The first packets were lost, and the sender has wrapped since.
  SrtpReceiver late(master);
  for (int64_t extended = 65'540; extended < 68'530; extended++) CHECK(opens(late, protect(sender, extended)));
  // An outage of more than half of the numbers: after a while the next rollover is tried, too.
  CHECK(opens(late, protect(sender, 68'530 + 40'000), 5000));
  CHECK(opens(late, protect(sender, 68'530 + 40'001), 5001));
  // Reports of several streams, each with separate numbers.
  SrtpSender sound(master);
  SrtpSender picture(master);
  SrtpReceiver reports(master);
  for (int i = 0; i < 300; i++) {
    const auto first = report(sound, 1);
    CHECK(opensReport(reports, first));
    CHECK(!opensReport(reports, first));
  }
  CHECK(opensReport(reports, report(picture, 2)));
  // Encoders that restart under another SSRC each time: nothing of the ended ones can be replayed.
  SrtpReceiver restarts(master);
  const auto first = protect(sender, 70'000, 1000);
  for (uint32_t ssrc = 1000; ssrc < 1100; ssrc++) {
    CHECK(opens(restarts, protect(sender, 70'000, ssrc), ssrc));
    CHECK(opensReport(restarts, report(sound, ssrc), ssrc));
  }
  CHECK(!opens(restarts, first, 1100) && opens(restarts, protect(sender, 70'001, 1000), 1100));
}

void stunMessages() {
  const stun::Transaction transaction{1, 2, 3};
  const auto check = stun::buildCheck(transaction, "there:here", {}, "password");
  const auto message = stun::parse(check);
  CHECK(message && message->username == "there:here" && message->useCandidate && message->controlling);
  CHECK(stun::hasIntegrity(check, *message, "password") && !stun::hasIntegrity(check, *message, "passwort"));
  for (size_t i = 0; i < check.size(); i++) {
    auto altered = check;
    altered[i] ^= 0x40;
    const auto read = stun::parse(altered);
    // Anything after MESSAGE-INTEGRITY, and the length that it covers, is not part of it.
    if (read && i < message->integrityOffset && i != 2 && i != 3) CHECK(!stun::hasIntegrity(altered, *read, "password"));
  }
  // Optional attributes are no reason to reject a check.
  for (const uint8_t type : {0x01, 0x13, 0x14, 0x15, 0x1c}) {
    const std::vector<uint8_t> with = {0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, type, 0, 4, 0, 0, 0, 0};
    CHECK(stun::parse(with)->unknown == (type == 0x13 ? 0x13 : 0));
  }
  const auto six = Endpoint::parse("2001:db8::1", 4000);
  CHECK(six && stun::parse(stun::buildSuccess(transaction, *six, "p")));
  CHECK(!Endpoint::parse("example.org", 1) && !Endpoint::parse("1.2.3", 1));
}

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

void sequences() {
  SequenceMap map(100);
  map.continueAt(1000);
  CHECK(map.toViewer(1000) == 100 && map.toViewer(1002) == 102 && !map.toViewer(999));
  // What was not sent in the end leaves no gap.
  CHECK(map.next() == 100);
  map.sent(102);
  map.sent(101);
  CHECK(map.takeExtra() == 103);
  map.continueAt(2000);
  CHECK(map.toViewer(2000) == 104);
  map.sent(104);
  CHECK(map.toTrack(104) == 2000 && map.toTrack(101) == 1001);
  CHECK(!map.toTrack(103) && !map.toTrack(99) && !map.toTrack(105));
}

void aggregates() {
  const std::vector<uint8_t> sps = {0x67, 1, 2};
  const std::vector<uint8_t> slice = {0x65, 9};
  const auto packet = h264::buildStapA({sps, slice});
  const auto info = h264::inspect(packet);
  CHECK(info.keyframe && sameBytes(info.sps, sps));
  CHECK(!h264::splitStapA(h264::buildStapA({packet, packet})));
  std::vector<Piece> pieces;
  std::vector<uint8_t> large(5000, 7);
  large[0] = 0x65;
  h264::fit(large, 1200, pieces);
  size_t bytes = 0;
  for (const auto& piece : pieces) bytes += piece.body.size();
  CHECK(pieces.size() == 5 && bytes == 4999 && (pieces[0].head[1] & 0x80) && (pieces[4].head[1] & 0x40));
}

void h265Payloads() {
  const std::vector<uint8_t> vps = {0x40, 1, 2};
  const std::vector<uint8_t> sps = {0x42, 1, 3};
  const std::vector<uint8_t> pps = {0x44, 1, 4};
  std::vector<uint8_t> idr(5000, 7);
  idr[0] = 0x26;
  idr[1] = 1;
  const auto packet = h265::buildAp({vps, sps, pps});
  CHECK(packet[0] == 0x60 && packet[1] == 1);
  auto info = payload::inspect(Codec::H265, packet);
  CHECK(sameBytes(info.vps, vps) && sameBytes(info.sps, sps) && sameBytes(info.pps, pps) && !info.picture && !info.keyframe);
  CHECK(!h265::splitAp(h265::buildAp({packet, packet})));
  CHECK(payload::inspect(Codec::H265, idr).keyframe);
  // Of the types from which decoding can begin, and their neighbours.
  for (uint8_t type = 0; type < h265::Ap; type++) {
    info = payload::inspect(Codec::H265, std::vector<uint8_t>{static_cast<uint8_t>(type << 1), 1, 0});
    CHECK(info.keyframe == (type >= 16 && type <= 21));
    // The piece of a fragmented unit is one of type 0 here.
    CHECK(info.picture == (type < 32 || type == h265::Fu));
  }
  // An H.264 slice looks like a parameter set of another layer.
  CHECK(payload::inspect(Codec::H265, std::vector<uint8_t>{0x41, 0x9a, 2}).vps.empty());
  std::vector<Piece> pieces;
  payload::fit(Codec::H265, idr, 1200, pieces);
  CHECK(pieces.size() == 5 && pieces[0].head[0] == 0x62 && pieces[0].head[1] == 1);
  CHECK(pieces[0].head[2] == (0x80 | 19) && pieces[1].head[2] == 19 && pieces[4].head[2] == (0x40 | 19));
  size_t bytes = 0;
  for (const auto& piece : pieces) bytes += piece.body.size();
  CHECK(bytes == 4998);
  std::vector<uint8_t> first(pieces[0].head, pieces[0].head + 3);
  first.insert(first.end(), pieces[0].body.begin(), pieces[0].body.end());
  CHECK(payload::inspect(Codec::H265, first).keyframe);
  CHECK(payload::recognise(packet) == Codec::H265 && payload::recognise(vps) == Codec::H265);
  CHECK(payload::recognise(std::vector<uint8_t>{0x67, 1, 2}) == Codec::H264 && !payload::recognise(sps) && !payload::recognise(idr) && !payload::recognise({}));
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

// Whatever others send, a session learns that it is connected.
void vitalEvents() {
  Context context;
  for (int i = 0; i < 10'000; i++) context.events.push({EventType::ParameterSet, 1});
  CHECK(context.events.push({EventType::Connected, 2}));
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

void betweenThreads() {
  Queue<std::vector<uint8_t>> queue(16);
  std::thread producer([&] {
    for (uint32_t i = 0; i < 20'000;) {
      std::vector<uint8_t> value(4);
      write32(value.data(), i);
      if (queue.push(value)) i++;
      else std::this_thread::yield();
    }
  });
  for (uint32_t i = 0; i < 20'000;) {
    const auto value = queue.pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    CHECK(read32(value->data()) == i++);
  }
  producer.join();
}

// Many feeds with long groups of pictures do not fill the memory of a board.
void sharedMemory() {
  for (const size_t memoryBytes : {size_t{1} << 30, size_t{1} << 20}) {
    Engine engine([] {}, memoryBytes);
    SourceOptions options;
    options.handle = 0x10001;
    CHECK(engine.post(command::OpenTrack{0x10000, Kind::Video, kVideoClockHz}));
    CHECK(engine.post(command::OpenSource{options, 0x10000, 0, 0}));
    Endpoint ingest = *Endpoint::parse("127.0.0.1", 0);
    const int fd = openUdpSocket(ingest);
    CHECK(engine.post(command::AddSocket{0x10002, fd, ingest, SocketUse::Ingest, options.handle, Kind::Video}) && engine.settle());
    Endpoint own = *Endpoint::parse("127.0.0.1", 0);
    const int pipeline = openUdpSocket(own);
    sockaddr_storage to;
    const socklen_t bytes = ingest.toSocket(to);
    for (uint16_t sequence = 0; sequence < 2000; sequence++) {
      std::vector<uint8_t> packet(kRtpHeaderBytes + 1300);
      writeRtpHeader(packet.data(), true, 96, sequence, sequence * 3000u, 42);
      const std::vector<uint8_t> sps = {0x67, 0x42, 0xc0, 0x1f, 0xda};
      if (sequence == 0) std::memcpy(packet.data() + kRtpHeaderBytes, sps.data(), sps.size());
      else packet[kRtpHeaderBytes] = sequence == 2 ? 0x65 : sequence == 1 ? 0x68 : 0x41;
      CHECK(sendto(pipeline, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), bytes) > 0);
      if (sequence % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const double remembered = engine.snapshot()[SnapshotLayout::kHead + 6];
    CHECK(memoryBytes > 2'000'000 ? remembered > 2'000'000 : remembered > 0 && remembered <= 1 << 20);
    close(pipeline);
  }
}

// Linux before 5.11, or a container that forbids what is newer: packets still arrive. From here on this applies to the whole process.
void oldKernel() {
  const sock_filter forbid[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(forbid), const_cast<sock_filter*>(forbid)};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  Engine engine([] {});
  Endpoint local = *Endpoint::parse("127.0.0.1", 0);
  Endpoint peer = local;
  const int fd = openUdpSocket(local);
  CHECK(engine.post(command::AddSocket{0x10000, fd, local, SocketUse::Shared, 0, Kind::Video}));
  CHECK(engine.post(command::OpenSession{{0x10001, false, 10'000}}));
  CHECK(engine.post(command::SetIce{0x10001, {"here", "password", "there", "remote"}}));
  CHECK(engine.settle());
  const int other = openUdpSocket(peer);
  sockaddr_storage to;
  const socklen_t bytes = local.toSocket(to);
  const auto check = stun::buildCheck({}, "here:there", {}, "password");
  CHECK(sendto(other, check.data(), check.size(), 0, reinterpret_cast<sockaddr*>(&to), bytes) > 0);
  pollfd answer = {other, POLLIN, 0};
  CHECK(poll(&answer, 1, 2000) == 1);
  close(other);
}

// Header extensions in the short and the long form (RFC 8285).
void extensions() {
  std::vector<uint8_t> packet(kRtpHeaderBytes);
  writeRtpHeader(packet.data(), false, 96, 1, 2, 3);
  packet[0] |= 0x10;
  const auto with = [&](std::vector<uint8_t> bytes) {
    std::vector<uint8_t> whole = packet;
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    return whole;
  };
  const auto oneByte = with({0xbe, 0xde, 0, 2, 0x10, 'x', 0x22, 'l', 'o', 'w', 0, 0});
  CHECK(rtpExtension(oneByte, 1) == "x" && rtpExtension(oneByte, 2) == "low" && rtpExtension(oneByte, 3).empty());
  const auto twoBytes = with({0x10, 0, 0, 2, 20, 4, 'h', 'i', 'g', 'h', 0, 0});
  CHECK(rtpExtension(twoBytes, 20) == "high" && rtpExtension(twoBytes, 4).empty() && rtpExtension(twoBytes, -1).empty());
  // One that claims to be longer than the packet.
  CHECK(rtpExtension(with({0xbe, 0xde, 0, 9, 0x1f, 'x'}), 1).empty());
  CHECK(rtpExtension(with({0x10, 0, 0, 1, 20}), 20).empty());
}

// A connection that takes no more: what waits for it is bounded, and the rest goes in order once it can be written again.
void streams() {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  StreamQueue queue(pair[0]);
  Counters counters;
  uint8_t sent = 0;
  size_t bytes = 0;
  const auto put = [&](bool urgent) {
    const size_t length = 900 + sent;
    uint8_t* at = urgent ? queue.reserveUrgent(length, counters) : queue.reserve(length, counters);
    if (at == nullptr) return false;
    std::memset(at, sent++, length);
    queue.commit({}, length, counters);
    bytes += length;
    return true;
  };
  for (int n = 0; n < 10'000 && put(false); n++) {
    if (n % 7 == 0) queue.flush(counters);
  }
  CHECK(queue.blocked() && bytes < 1024 * 1024);
  size_t urgent = 0;
  while (put(true)) urgent++;
  CHECK(urgent >= 10 && urgent < 100);
  StreamFramer framer(9216);
  uint8_t expected = 0;
  size_t received = 0;
  const auto take = [&](View datagram) {
    CHECK(datagram.size() == 900u + expected && datagram.front() == expected && datagram.back() == expected);
    expected++;
    received += datagram.size();
    return true;
  };
  uint8_t piece[777];
  while (received < bytes) {
    queue.flush(counters);
    const ssize_t length = recv(pair[1], piece, sizeof piece, 0);
    CHECK(length > 0 && framer.feed({piece, static_cast<size_t>(length)}, take));
  }
  CHECK(queue.empty() && !queue.blocked() && put(false));
  // Nothing is longer than its length can say, and an empty datagram is none.
  CHECK(queue.reserve(70'000, counters) == nullptr);
  const std::vector<uint8_t> empty = {0, 0, 0, 1, 7};
  size_t count = 0;
  CHECK(StreamFramer(16).feed(empty, [&](View one) { return ++count == 1 && one.size() == 1 && one[0] == 7; }));
  CHECK(!StreamFramer(16).feed(std::vector<uint8_t>{0, 17}, take) && count == 1);
  ::close(pair[0]);
  ::close(pair[1]);
}

}  // namespace

int main() {
  srtp(SrtpProfile::AeadAes128Gcm);
  srtp(SrtpProfile::Aes128CmHmacSha1_80);
  stunMessages();
  extensions();
  ring();
  normalizer();
  sequences();
  aggregates();
  h265Payloads();
  sources();
  clocks();
  gaps();
  captureDelays();
  reportTimes();
  fallenBehind();
  layersEnd();
  clockSet();
  vitalEvents();
  heldPackets();
  heldLayers();
  streams();
  betweenThreads();
  sharedMemory();
  oldKernel();
  std::puts("parts: all good");
}
