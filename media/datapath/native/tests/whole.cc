// The whole engine under load: a pipeline, viewers that come and go, and commands for objects that are gone.
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <deque>
#include <thread>

#include "../src/engine.h"
#include "check.h"

using namespace rushlight;
using std::chrono::milliseconds;

namespace {

constexpr Handle kVideo = 0x10000;
constexpr Handle kSource = 0x10001;
constexpr Handle kIngest = 0x10002;
constexpr Handle kShared = 0x10003;
constexpr Handle kSmall = 0x10004;
constexpr Handle kSmallSource = 0x10005;
constexpr Handle kSmallIngest = 0x10006;
constexpr Handle kListener = 0x10007;
constexpr int kViewers = 8;

// Of the viewers, every fourth plays by TCP.
constexpr int kTcpEvery = 4;

struct Viewer {
  Handle session = 0;
  Handle sink = 0;
  int fd = -1;
  bool tcp = false;
  // Of a connection: what came by it, and where the datagram that is read ends.
  StreamFramer framer{9216};
  std::deque<std::vector<uint8_t>> frames;
  // Both on the heap: the handshake refers to itself.
  std::unique_ptr<Dtls> dtls;
  std::unique_ptr<SrtpReceiver> receiver;
  int packets = 0;
};

Endpoint loopback(uint16_t port = 0) { return *Endpoint::parse("127.0.0.1", port); }

void sendTo(int fd, const Endpoint& to, View bytes) {
  sockaddr_storage address;
  const socklen_t length = to.toSocket(address);
  sendto(fd, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&address), length);
}

// A connection to the engine, as a peer whose network blocks UDP opens it.
int connectTo(const Endpoint& listener) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address;
  const socklen_t length = listener.toSocket(address);
  CHECK(connect(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  return fd;
}

void sendBy(const Viewer& viewer, const Endpoint& to, View bytes) {
  if (!viewer.tcp) return sendTo(viewer.fd, to, bytes);
  std::vector<uint8_t> framed(2);
  write16(framed.data(), static_cast<uint32_t>(bytes.size()));
  framed.insert(framed.end(), bytes.begin(), bytes.end());
  // In two pieces, as connections deliver.
  const size_t half = framed.size() / 2;
  send(viewer.fd, framed.data(), half, MSG_NOSIGNAL);
  send(viewer.fd, framed.data() + half, framed.size() - half, MSG_NOSIGNAL);
}

// Length of the next datagram; -1 where none came.
ssize_t receiveBy(Viewer& viewer, uint8_t* to, size_t room) {
  if (!viewer.tcp) return recv(viewer.fd, to, room, MSG_DONTWAIT);
  uint8_t bytes[4096];
  const ssize_t length = recv(viewer.fd, bytes, sizeof bytes, MSG_DONTWAIT);
  const auto keep = [&](View datagram) {
    viewer.frames.push_back(toVector(datagram));
    return true;
  };
  if (length > 0) CHECK(viewer.framer.feed({bytes, static_cast<size_t>(length)}, keep));
  if (viewer.frames.empty()) return -1;
  const auto first = std::move(viewer.frames.front());
  viewer.frames.pop_front();
  CHECK(first.size() <= room);
  copyBytes(to, first.data(), first.size());
  return static_cast<ssize_t>(first.size());
}

Endpoint openSocket(Engine& engine, Handle handle, SocketUse use, Handle owner) {
  Endpoint local = loopback();
  const int fd = openUdpSocket(local);
  CHECK(fd > 0);
  CHECK(engine.post(command::AddSocket{handle, fd, local, use, owner, Kind::Video}));
  return local;
}

const DtlsIdentity viewersIdentity;

// Plays the client's part of a handshake until it is over.
void shakeHands(Viewer& viewer, const Endpoint& shared) {
  uint8_t bytes[2048];
  viewer.dtls->start();
  for (int tries = 0; tries < 5000 && viewer.dtls->state() == Dtls::State::Handshake; tries++) {
    for (const auto& datagram : viewer.dtls->takeDatagrams()) sendBy(viewer, shared, datagram);
    const ssize_t length = receiveBy(viewer, bytes, sizeof bytes);
    if (length > 0) viewer.dtls->receive({bytes, static_cast<size_t>(length)});
    else std::this_thread::sleep_for(milliseconds(1));
    viewer.dtls->tick();
  }
  CHECK(viewer.dtls->state() == Dtls::State::Connected);
  viewer.receiver = std::make_unique<SrtpReceiver>(viewer.dtls->remoteKey());
}

void join(Engine& engine, Viewer& viewer, const Endpoint& shared, const Endpoint& listener, uint32_t generation, int index) {
  viewer.session = generation << 16 | static_cast<uint32_t>(100 + index);
  viewer.sink = generation << 16 | static_cast<uint32_t>(200 + index);
  Endpoint local = loopback();
  viewer.tcp = index % kTcpEvery == 1;
  viewer.fd = viewer.tcp ? connectTo(listener) : openUdpSocket(local);
  const std::string name = "viewer" + std::to_string(viewer.session);
  const SrtpProfile profile = index % 2 == 0 ? SrtpProfile::AeadAes128Gcm : SrtpProfile::Aes128CmHmacSha1_80;
  viewer.dtls = std::make_unique<Dtls>(viewersIdentity, DtlsOptions{true, profile, {{"sha-256", engine.fingerprint()}}});
  CHECK(engine.post(command::OpenSession{{viewer.session, false, 10'000}}));
  CHECK(engine.post(command::SetIce{viewer.session, {name, "password", "peer", "remote"}}));
  CHECK(engine.post(command::OpenSink{{viewer.sink, static_cast<uint32_t>(index), 96, false, "name"}, kVideo, viewer.session}));
  CHECK(engine.post(command::StartDtls{viewer.session, {false, profile, {{"sha-256", viewersIdentity.fingerprint()}}}}));
  std::this_thread::sleep_for(milliseconds(2));
  sendBy(viewer, shared, stun::buildCheck({static_cast<uint8_t>(index)}, name + ":peer", {}, "password"));
  shakeHands(viewer, shared);
  CHECK(engine.post(command::Join{viewer.sink, 1e9, 100}));
}

void leave(Engine& engine, Viewer& viewer, bool sinkFirst) {
  if (sinkFirst) CHECK(engine.post(command::CloseSink{viewer.sink}));
  CHECK(engine.post(command::CloseSession{viewer.session}));
  if (!sinkFirst) CHECK(engine.post(command::CloseSink{viewer.sink}));
  // For an object that is gone: nothing happens.
  CHECK(engine.post(command::Join{viewer.sink, 0, 0}));
  CHECK(engine.post(command::StartDtls{viewer.session, {}}));
  close(viewer.fd);
  viewer = {};
}

void drain(Viewer& viewer) {
  uint8_t bytes[2048];
  uint8_t plain[2048];
  ssize_t length;
  while ((length = receiveBy(viewer, bytes, sizeof bytes)) > 0) {
    const View datagram = {bytes, static_cast<size_t>(length)};
    if (stun::isStun(datagram) || bytes[0] < 128) continue;
    if (isRtcp(datagram)) CHECK(viewer.receiver->unprotectRtcp(datagram, plain, 0));
    else CHECK(viewer.receiver->unprotectRtp(datagram, plain, 0));
    viewer.packets++;
  }
}

void sendPicture(int fd, const Endpoint& ingest, int number, uint16_t& sequence) {
  const auto send = [&](std::vector<uint8_t> payload, bool marker) {
    std::vector<uint8_t> packet(kRtpHeaderBytes);
    writeRtpHeader(packet.data(), marker, 96, sequence++, static_cast<uint32_t>(number) * 3000, 42);
    packet.insert(packet.end(), payload.begin(), payload.end());
    sendTo(fd, ingest, packet);
  };
  const bool keyframe = number % 30 == 0;
  if (keyframe) send({0x67, 0x42, 0xc0, 0x1f, 0xda}, false);
  if (keyframe) send({0x68, 0xce, 0x3c, 0x80}, false);
  for (int i = 0; i < 10; i++) {
    std::vector<uint8_t> slice(i == 9 ? 300 : 1100, static_cast<uint8_t>(i));
    slice[0] = keyframe ? 0x65 : 0x41;
    send(slice, i == 9);
  }
}

void play(int pictures, FanOutOptions fanOut) {
  std::atomic<int> notified{0};
  Engine engine([&] { notified++; }, size_t{1} << 30, fanOut);
  CHECK(engine.post(command::OpenTrack{kVideo, Kind::Video, kVideoClockHz}));
  SourceOptions options;
  options.handle = kSource;
  CHECK(engine.post(command::OpenSource{options, kVideo, 0, 0}));
  const Endpoint ingest = openSocket(engine, kIngest, SocketUse::Ingest, kSource);
  // The same pictures once more, as a small layer would be.
  CHECK(engine.post(command::OpenTrack{kSmall, Kind::Video, kVideoClockHz}));
  options.handle = kSmallSource;
  CHECK(engine.post(command::OpenSource{options, kSmall, 0, 0}));
  const Endpoint smallIngest = openSocket(engine, kSmallIngest, SocketUse::Ingest, kSmallSource);
  const Endpoint shared = openSocket(engine, kShared, SocketUse::Shared, 0);
  Endpoint listener = loopback();
  const int listening = openTcpListener(listener);
  CHECK(listening > 0);
  CHECK(engine.post(command::AddSocket{kListener, listening, listener, SocketUse::Listener, 0, Kind::Video}));
  std::vector<int> strangers;
  Endpoint sender = loopback();
  const int fd = openUdpSocket(sender);
  std::vector<Viewer> viewers(kViewers);
  uint32_t generation = 1;
  int received = 0;
  std::array<uint16_t, 2> sequences{};
  for (int number = 0; number < pictures; number++) {
    sendPicture(fd, ingest, number, sequences[0]);
    sendPicture(fd, smallIngest, number + 7, sequences[1]);
    std::this_thread::sleep_for(milliseconds(3));
    const auto index = static_cast<size_t>(number % kViewers);
    if (number % 5 == 0) {
      if (viewers[index].session != 0) {
        drain(viewers[index]);
        received += viewers[index].packets;
        leave(engine, viewers[index], number % 2 == 0);
      }
      join(engine, viewers[index], shared, listener, generation++, static_cast<int>(index));
    }
    for (Viewer& viewer : viewers) {
      if (viewer.session != 0) drain(viewer);
    }
    // Viewers change from layer to layer, some of them before the last change took effect, and to one that ends.
    const Viewer& mover = viewers[static_cast<size_t>(number / 3 % kViewers)];
    if (mover.session != 0) CHECK(engine.post(command::MoveSink{mover.sink, number % 2 == 0 ? kSmall : kVideo, 200, 20}));
    if (number == pictures * 3 / 4) CHECK(engine.post(command::CloseTrack{kSmall}));
    // Junk from a stranger and from a viewer's own address.
    const std::vector<uint8_t> junk(static_cast<size_t>(number % 300), static_cast<uint8_t>(number * 7));
    sendTo(fd, shared, junk);
    if (viewers[index].session != 0 && !viewers[index].tcp) sendTo(viewers[index].fd, shared, junk);
    // Strangers connect, too: some say nothing, some anything.
    if (number % 10 == 0) strangers.push_back(connectTo(listener));
    if (!strangers.empty() && number % 3 == 0) send(strangers.back(), junk.data(), junk.size(), MSG_NOSIGNAL);
    if (strangers.size() > 8) {
      close(strangers.front());
      strangers.erase(strangers.begin());
    }
    while (engine.takeEvent()) {
    }
    engine.snapshot();
  }
  CHECK(notified > 0);
  CHECK(received > pictures);
  CHECK(engine.post(command::CloseTrack{kVideo}));
  CHECK(engine.post(command::CloseSource{kSource}));
  for (Viewer& viewer : viewers) {
    if (viewer.fd >= 0) close(viewer.fd);
  }
  for (const int stranger : strangers) close(stranger);
  close(fd);
  std::printf("whole: %d packets decrypted, %zu helpers\n", received, fanOut.helpers);
}

}  // namespace

int main(int count, char** arguments) {
  const int pictures = count > 1 ? std::atoi(arguments[1]) : 200;
  play(pictures, {});
  // Divided among threads as a large audience is.
  play(pictures, {2, 1, 1e9});
}
