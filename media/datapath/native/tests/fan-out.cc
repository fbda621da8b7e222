// A large audience, divided among threads: every viewer gets every packet once, in order, whatever happens in between.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>

#include "../src/fan-out.h"
#include "../src/stream-framer.h"
#include "audience.h"

using namespace rushlight;

namespace {

// While it is above 0, every so many calls find the socket full, and others take only some of the messages.
std::atomic<unsigned> fullEvery{0};
std::atomic<unsigned> calls{0};
std::atomic<unsigned> callsOfHelpers{0};

}  // namespace

// In place of the C library's.
extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  const unsigned every = fullEvery;
  const unsigned call = calls++;
  if (gettid() != getpid()) callsOfHelpers++;
  // Gives them time to wake up.
  else if (call % 2 == 0) usleep(100);
  if (every > 0 && call % every == 0) {
    errno = EAGAIN;
    return -1;
  }
  return static_cast<int>(syscall(SYS_sendmmsg, fd, messages, every > 0 ? std::min(count, 1 + call % 3) : count, flags));
}

namespace {

constexpr Handle kSocket = 0x10000;
constexpr uint32_t kViewers = 16;
// Every eighth plays by a connection, and every fourth has the picture twice, which no thread may send at the same time.
constexpr uint32_t kTcpEvery = 8;
constexpr uint32_t kTwiceEvery = 4;

struct Viewer {
  Spectator one;
  std::unique_ptr<Sink> twin;
  std::unique_ptr<SrtpReceiver> receiver;
  int fd = -1;
  Endpoint peer;
  std::unique_ptr<MediaSocket> connection;
  StreamFramer framer{9216};
  // By SSRC: the newest packet's number, and how many came.
  std::map<uint32_t, uint16_t> newest;
  std::map<uint32_t, uint64_t> packets;
};

void take(Viewer& viewer, View datagram) {
  uint8_t plain[2048];
  if (stun::isStun(datagram)) return;
  if (isRtcp(datagram)) {
    CHECK(viewer.receiver->unprotectRtcp(datagram, plain, 0));
    return;
  }
  // Nothing is decrypted twice: the window for replays refuses it.
  const auto bytes = viewer.receiver->unprotectRtp(datagram, plain, 0);
  CHECK(bytes);
  const auto packet = parseRtp({plain, *bytes});
  const bool known = viewer.newest.contains(packet->ssrc);
  if (known) CHECK(packet->sequence == static_cast<uint16_t>(viewer.newest[packet->ssrc] + 1));
  viewer.newest[packet->ssrc] = packet->sequence;
  viewer.packets[packet->ssrc]++;
}

void drain(Viewer& viewer) {
  uint8_t bytes[9216];
  ssize_t length;
  while ((length = recv(viewer.fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    const View piece = {bytes, static_cast<size_t>(length)};
    if (viewer.connection == nullptr) take(viewer, piece);
    else CHECK(viewer.framer.feed(piece, [&](View datagram) { return take(viewer, datagram), true; }));
  }
}

void work() {
  constexpr size_t kHelpers = 3;
  std::vector<uint32_t> served;
  std::vector<uint32_t> byLane(kHelpers + 1);
  std::atomic<uint64_t> finished{0};
  Helpers helpers(
      kHelpers,
      [&](size_t lane, size_t part) {
        served[part]++;
        byLane[lane]++;
      },
      [&](size_t lane) { finished += std::exchange(byLane[lane], 0); });
  uint64_t expected = 0;
  for (size_t round = 0; round < 3000; round++) {
    const size_t parts = round * 7 % 40;
    served.assign(parts, 0);
    helpers.share(parts, round % (kHelpers + 1));
    for (const uint32_t times : served) CHECK(times == 1);
    expected += parts;
    CHECK(finished == expected);
  }
}

class Theatre {
 public:
  explicit Theatre(SrtpProfile profile, double patienceMs) : audience_(profile), fanOut_({3, 1, patienceMs}, sockets_, context_) {
    context_.nowMs = 5000;
    Endpoint local = *Endpoint::parse("127.0.0.1", 0);
    const int fd = openUdpSocket(local);
    sockets_.insert(kSocket, std::make_unique<MediaSocket>(kSocket, fd, local, SocketUse::Shared));
    for (uint32_t i = 0; i < kViewers; i++) enter(i);
  }

  void play(uint32_t pictures) {
    for (uint32_t number = 0; number < pictures; number++) {
      context_.nowMs += 33;
      context_.unixMs += 33;
      fullEvery = number / 20 % 2 == 1 ? 2 + number % 5 : 0;
      disturb(number);
      camera_.show(full_, 20, number % 30 == 0, context_);
      smallCamera_.show(small_, 3, number % 30 == 7, context_);
      for (int turn = 0; turn < 4; turn++) forward();
      while (context_.events.pop()) {
      }
    }
    fullEvery = 0;
    for (int i = 0; i < 100; i++) forward();
    for (Viewer& viewer : viewers_) leave(viewer);
    CHECK(context_.counters.sendErrors == 0 && context_.counters.refused == 0);
  }

 private:
  void enter(uint32_t index) {
    Viewer& viewer = viewers_[index];
    viewer = {};
    const bool tcp = index % kTcpEvery == 1;
    viewer.peer = *Endpoint::parse("127.0.0.1", 0);
    if (tcp) {
      int pair[2];
      CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
      viewer.fd = pair[1];
      viewer.connection = std::make_unique<MediaSocket>(1, pair[0], viewer.peer, SocketUse::Stream);
    } else {
      viewer.fd = openUdpSocket(viewer.peer);
    }
    viewer.receiver = std::make_unique<SrtpReceiver>(audience_.key);
    viewer.one = audience_.open(tcp ? *viewer.connection : *sockets_.get(kSocket), viewer.peer, ++generation_, full_, context_);
    viewer.one.sink->join(1e9, 100, context_);
    if (index % kTwiceEvery != 0) return;
    viewer.twin = std::make_unique<Sink>(SinkOptions{0, generation_ | 0x20000, 96, false, ""}, &full_, viewer.one.session.get());
    viewer.twin->join(1e9, 100, context_);
  }

  // It got everything that was sent to it.
  void leave(Viewer& viewer) {
    drain(viewer);
    for (const Sink* sink : {viewer.one.sink.get(), viewer.twin.get()}) {
      if (sink != nullptr) CHECK(viewer.packets[sink->ssrc()] == sink->stats().packets);
    }
    viewer.twin.reset();
    viewer.one.sink.reset();
    viewer.one.session.reset();
    viewer.connection.reset();
    close(viewer.fd);
  }

  void disturb(uint32_t number) {
    MediaSocket& socket = *sockets_.get(kSocket);
    const uint32_t index = number * 5 % kViewers;
    Viewer& viewer = viewers_[index];
    // While the socket is full, those who leave take what waits for them along: then nobody does.
    if (number % 3 == 0 && !socket.queue.blocked()) {
      socket.flushLane(0, context_.counters);
      if (!socket.queue.blocked()) leave(viewer), enter(index);
    }
    Sink& sink = *viewers_[number * 3 % kViewers].one.sink;
    if (number % 4 == 1) sink.moveTo(number % 8 == 1 ? &small_ : &full_, 200, 20, context_);
    if (number % 11 == 2) sink.pause(context_);
    if (number % 11 == 5) sink.join(1e9, 100, context_);
    for (Viewer& one : viewers_) {
      if (one.newest.contains(one.one.sink->ssrc())) one.one.sink->retransmit({one.newest[one.one.sink->ssrc()]}, context_);
      if (number % 3 == 0) one.one.sink->tick(context_);
    }
  }

  // As the engine does.
  void forward() {
    context_.nowMs += 2;
    context_.dirty.clear();
    for (Track* track : {&full_, &small_}) {
      track->dirty = false;
      fanOut_.serve(*track);
    }
    sockets_.each([&](MediaSocket& socket) {
      socket.flushLane(0, context_.counters);
      if (socket.queue.blocked()) socket.flush(context_.counters);
    });
    for (Viewer& viewer : viewers_) {
      if (viewer.connection != nullptr) viewer.connection->queue.flush(context_.counters);
      drain(viewer);
    }
  }

  Context context_;
  Audience audience_;
  Table<MediaSocket> sockets_;
  Track full_{2, Kind::Video, kVideoClockHz};
  Track small_{3, Kind::Video, kVideoClockHz};
  Camera camera_;
  Camera smallCamera_;
  std::vector<Viewer> viewers_ = std::vector<Viewer>(kViewers);
  uint32_t generation_ = 0;
  FanOut fanOut_;
};

}  // namespace

int main() {
  work();
  Theatre(SrtpProfile::AeadAes128Gcm, 1e9).play(300);
  Theatre(SrtpProfile::Aes128CmHmacSha1_80, 1e9).play(300);
  CHECK(callsOfHelpers > 0);
  const unsigned before = callsOfHelpers;
  // Who is without patience shares one picture a second.
  Theatre(SrtpProfile::AeadAes128Gcm, -1).play(60);
  CHECK(callsOfHelpers - before <= 100);
  std::printf("fan-out: %u of %u calls by helpers\n", callsOfHelpers.load(), calls.load());
}
