// libFuzzer: everything that reads input from strangers, and what packets do to a track, its source and a viewer.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../src/rtcp.h"
#include "../src/session.h"
#include "../src/sink.h"
#include "../src/source.h"
#include "../src/stream-framer.h"
#include "../src/video-payload.h"

using namespace rushlight;

namespace {

struct Ignore : rtcp::Handler {
  void onSenderReport(const rtcp::SenderReport&) override {}
  void onReportBlock(const rtcp::ReportBlock&) override {}
  void onNack(uint32_t, const std::vector<uint16_t>& lost) override {
    if (lost.size() > 1024) std::abort();
  }
  void onKeyframeRequest(uint32_t) override {}
  void onReferenceTime(const rtcp::ReferenceTime&) override {}
  void onBye(uint32_t) override {}
};

void readAlone(View datagram) {
  if (const auto message = stun::parse(datagram)) stun::hasIntegrity(datagram, *message, "password");
  Ignore ignore;
  rtcp::parse(datagram, ignore);
  const auto packet = parseRtp(datagram);
  if (!packet) return;
  for (int id = 0; id < 20; id++) rtpExtension(datagram, id);
  payload::recognise(packet->payload);
  std::vector<Piece> pieces;
  for (const Codec codec : {Codec::H264, Codec::H265}) {
    payload::inspect(codec, packet->payload);
    payload::fit(codec, packet->payload, 64, pieces);
    for (const Piece& piece : pieces) {
      if (piece.headBytes + piece.body.size() > 64) std::abort();
    }
  }
}

// What comes by a connection is the same, however it is cut into pieces.
void readFramed(View stream) {
  using Frames = std::vector<std::vector<uint8_t>>;
  const auto read = [&](size_t piece, Frames& frames) {
    StreamFramer framer(1024);
    for (size_t at = 0; at < stream.size(); at += piece) {
      const auto take = [&](View datagram) {
        frames.push_back(toVector(datagram));
        return frames.size() < 64;
      };
      if (!framer.feed(stream.subspan(at, std::min(piece, stream.size() - at)), take)) return false;
    }
    return true;
  };
  Frames whole, cut;
  const bool good = read(4096, whole);
  const size_t piece = stream.empty() ? 1 : 1 + stream[0] % 7;
  if (read(piece, cut) != good || cut != whole) std::abort();
}

// Number of packets received, and the longest time that one of them held up the thread: printed at the end. The thread's clock counts what
// the host of a virtual machine takes away, so a packet's own cost is the least of several runs of the same input.
struct Tally {
  uint64_t packets = 0;
  double longestUs = 0;
  double provenUs = 0;
  ~Tally() {
    std::fprintf(stderr, "fuzz: %llu packets, the longest took %.0f us once, and %.0f us each time\n",
                 static_cast<unsigned long long>(packets), longestUs, provenUs);
  }
} tally;

constexpr int kRepetitions = 5;
// Quicker ones are not worth the repetition.
constexpr double kSuspectUs = 500;

double cpuUs() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

// Gives what each packet of the input cost, in order.
static std::vector<double> play(View input) {
  const uint8_t* data = input.data();
  const size_t size = input.size();
  std::vector<double> costs;
  Context context;
  Names names;
  MediaSocket socket(6, dup(0), *Endpoint::parse("127.0.0.1", 1), SocketUse::Shared);
  static const DtlsIdentity identity;
  Session session({1, false, 10'000}, names, identity);
  // The first byte says whether the handshake is over.
  const bool connected = size > 0 && (data[0] & 0x80) != 0;
  session.startDtls({(size > 0 && (data[0] & 0x40) != 0), {}, {{"sha-256", identity.fingerprint()}}});
  session.setIce({"here", "password", "there", "remote"});
  if (connected) session.setKeys({}, {}, context);
  Track video(2, Kind::Video, kVideoClockHz);
  SourceOptions options;
  options.handle = 3;
  options.videoPayloadType = 96;
  options.repairPayloadType = 97;
  options.audioPayloadType = 96;
  options.sections = {3, "0", "1"};
  options.transportExtension = 4;
  Track sound(9, Kind::Audio, 48'000);
  if (size > 0 && (data[0] & 2) == 0) options.sections = {};
  Source source(options, &video, &sound, &session);
  Track low(7, Kind::Video, kVideoClockHz);
  options.handle = 8;
  options.audioPayloadType = -1;
  Source small(options, &low, nullptr, &session);
  small.nameLayer({"low", 1, 2}, &source, context);
  if (size > 0 && (data[0] & 1) != 0) source.nameLayer({"high", 1, 2}, nullptr, context);
  Sink tap({4, 0, 0, false, ""}, &video, nullptr);
  Sink viewer({5, 1, 96, false, "name"}, &video, &session);
  tap.join(0, 0, context);
  viewer.join(0, 0, context);
  session.receiveStun(socket, socket.local, stun::buildCheck({}, "here:there", {}, "password"), context);
  std::vector<uint8_t> scratch(2048);
  // The input is a sequence of datagrams: two bytes of length and kind, then the datagram.
  size_t at = 0;
  while (at + 2 <= size) {
    const size_t length = std::min<size_t>(size - at - 2, (data[at] & 0x0f) * 16u + (data[at + 1] >> 4));
    const View datagram = input.subspan(at + 2, length);
    context.nowMs += data[at + 1] & 0x0f;
    context.unixMs = context.nowMs;
    const double begunUs = cpuUs();
    switch (data[at] >> 4 & 3) {
      case 0: source.receiveRtp(datagram, context); break;
      case 1: source.receiveIngest(Kind::Video, datagram, context); break;
      case 2: session.receiveStun(socket, socket.local, datagram, context); break;
      default: session.receive(socket.local, datagram, scratch.data(), context); break;
    }
    // A viewer changes from layer to layer.
    if ((data[at] & 0x40) != 0) viewer.moveTo((data[at] & 0x80) != 0 ? &low : &video, data[at + 1], data[at + 1] & 0x1f, context);
    if ((data[at] & 0xc0) == 0x80) small.receiveIngest(Kind::Video, datagram, context);
    for (Sink* sink : {&tap, &viewer}) sink->pump(context);
    viewer.tick(context);
    source.tick(context);
    source.askAgain(context);
    small.askAgain(context);
    costs.push_back(cpuUs() - begunUs);
    while (context.events.pop()) {
    }
    at += 2 + length;
  }
  return costs;
}

// An input is kept in the file that FUZZ_SLOWEST names while no other is slower.
static void keep(View input, double us, size_t packet) {
  const char* path = std::getenv("FUZZ_SLOWEST");
  if (path == nullptr) return;
  FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return;
  std::fwrite(input.data(), 1, input.size(), file);
  std::fclose(file);
  std::fprintf(stderr, "fuzz: packet %zu took %.0f us each time: %s\n", packet, us, path);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const View input = {data, size};
  readAlone(input);
  readFramed(input);
  std::vector<double> costs = play(input);
  tally.packets += costs.size();
  const double most = costs.empty() ? 0 : *std::max_element(costs.begin(), costs.end());
  tally.longestUs = std::max(tally.longestUs, most);
  if (most < std::max(kSuspectUs, tally.provenUs)) return 0;
  for (int again = 1; again < kRepetitions; again++) {
    const std::vector<double> others = play(input);
    for (size_t i = 0; i < costs.size() && i < others.size(); i++) costs[i] = std::min(costs[i], others[i]);
  }
  const auto slowest = std::max_element(costs.begin(), costs.end());
  if (*slowest <= tally.provenUs) return 0;
  tally.provenUs = *slowest;
  keep(input, *slowest, static_cast<size_t>(slowest - costs.begin()));
  return 0;
}
