// What stands in packets: encryption, checks, header extensions, pictures, framing on a connection.
#include "../src/h264.h"
#include "../src/h265.h"
#include "../src/rtcp.h"
#include "../src/rtp.h"
#include "../src/srtp.h"
#include "../src/stream-framer.h"
#include "../src/stream-queue.h"
#include "../src/stun.h"
#include "../src/video-payload.h"
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
  aggregates();
  h265Payloads();
  streams();
  std::puts("formats: all good");
}
