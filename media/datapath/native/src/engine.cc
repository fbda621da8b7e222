#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <limits>

namespace rushlight {

namespace {

constexpr size_t kCommands = 1024;
constexpr size_t kBatch = 64;
constexpr size_t kLeastMemoryBytes = 64 * 1024 * 1024;
constexpr int kReady = 32;
// A connection is read in pieces of so many times the longest datagram.
constexpr size_t kStreamReads = 7;
// Beside the handles that JavaScript gives, connections have their own.
constexpr uint64_t kStreamFlag = 1ULL << 32;
constexpr int kRounds = 4;
// We send nothing larger; loopback carries them.
constexpr size_t kDatagramBytes = 9216;
constexpr double kTickMs = 100;
constexpr double kPaceMs = 2;
// How long to wait for the rest of a picture, so that each viewer gets it in one go.
constexpr double kGatherMs = 0.25;
// Its packets arrive a few microseconds apart: one check after this time costs less than a wake-up for each of them.
constexpr long kNapNs = 40'000;
constexpr auto kFullQueuePause = std::chrono::microseconds(200);
constexpr int kFullQueueTries = 10'000;
constexpr auto kSettlePatience = std::chrono::milliseconds(200);

double clockMs(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

struct Engine::Receiver {
  mmsghdr headers[kBatch];
  iovec vectors[kBatch];
  sockaddr_storage from[kBatch];
  uint8_t bytes[kBatch][kDatagramBytes];
  uint8_t plain[kDatagramBytes];
};

Engine::Engine(std::function<void()> notify, size_t memoryBytes, FanOutOptions fanOut)
    : notify_(std::move(notify)),
      memoryBytes_(memoryBytes),
      commands_(kCommands),
      fanOut_(fanOut, sockets_, context_),
      receiver_(std::make_unique_for_overwrite<Receiver>()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  // Signals are for JavaScript's thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "datapath");
}

Engine::~Engine() {
  ending_ = true;
  const uint64_t one = 1;
  if (write(wake_, &one, sizeof one) < 0) {
    // The counter is full: the thread wakes up anyway.
  }
  thread_.join();
  // A socket that was never accepted belongs to nobody else.
  while (auto command = commands_.pop()) {
    if (const auto* left = std::get_if<command::AddSocket>(&*command)) close(left->fd);
  }
  // Sinks and sources unregister from what they refer to, so they go first.
  sinks_.each([this](Sink& sink) { sinks_.take(sink.handle()); });
  sources_.each([this](Source& source) { sources_.take(source.handle()); });
  tracks_.each([this](Track& track) { tracks_.take(track.handle()); });
  sessions_.each([this](Session& session) { sessions_.take(session.handle()); });
  close(wake_);
  close(epoll_);
}

bool Engine::post(Command command) {
  for (int tries = 0; !commands_.push(command); tries++) {
    if (tries >= kFullQueueTries) return false;
    std::this_thread::sleep_for(kFullQueuePause);
  }
  const uint64_t one = 1;
  return write(wake_, &one, sizeof one) >= 0 || errno == EAGAIN;
}

bool Engine::settle() {
  auto reached = std::make_shared<std::promise<void>>();
  auto isReached = reached->get_future();
  return post(command::Fence{std::move(reached)}) && isReached.wait_for(kSettlePatience) == std::future_status::ready;
}

void Engine::run() {
  // By default the kernel may add 50 µs to every sleep.
  prctl(PR_SET_TIMERSLACK, 1000);
  epoll_event events[kReady];
  while (!ending_) {
    // All that is left to forward is a picture whose rest is on its way.
    if (!context_.dirty.empty()) nap();
    updateClock();
    const int ready = wait(events, kReady, std::max(0.0, nextWakeMs() - context_.nowMs));
    updateClock();
    for (int i = 0; i < ready; i++) {
      if (events[i].data.u64 == 0) {
        uint64_t count;
        while (read(wake_, &count, sizeof count) > 0) {
        }
        continue;
      }
      if (events[i].data.u64 & kStreamFlag) serveStream(static_cast<Handle>(events[i].data.u64), events[i].events);
      else serve(static_cast<Handle>(events[i].data.u64), events[i].events);
    }
    workOffCommands();
    runTimers();
    fanOut();
    flush();
    if (context_.events.takePending()) notify_();
  }
}

// Linux before 5.11 waits for whole milliseconds only, and the containers of some hosts forbid the other call.
int Engine::wait(epoll_event* events, int count, double waitMs) {
  if (!waitsExactly_) return epoll_wait(epoll_, events, count, static_cast<int>(std::ceil(waitMs)));
  const timespec timeout = {static_cast<time_t>(waitMs / 1000), static_cast<long>(std::fmod(waitMs, 1000) * 1e6)};
  const int ready = epoll_pwait2(epoll_, events, count, &timeout, nullptr);
  if (ready < 0 && (errno == ENOSYS || errno == EPERM)) waitsExactly_ = false;
  return ready;
}

void Engine::nap() {
  const timespec time = {0, kNapNs};
  clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

void Engine::updateClock() {
  context_.nowMs = clockMs(CLOCK_MONOTONIC);
  context_.unixMs = clockMs(CLOCK_REALTIME);
}

void Engine::serve(Handle handle, uint32_t ready) {
  MediaSocket* socket = sockets_.get(handle);
  if (socket == nullptr) return;
  if (socket->use == SocketUse::Listener) return acceptFrom(*socket);
  if (ready & EPOLLOUT) socket->flush(context_.counters);
  if (ready & ~EPOLLOUT) receive(socket);
}

void Engine::receive(MediaSocket* socket) {
  Receiver& receiver = *receiver_;
  const Handle handle = socket->handle;
  for (int round = 0; round < kRounds; round++) {
    for (size_t i = 0; i < kBatch; i++) {
      receiver.vectors[i] = {receiver.bytes[i], kDatagramBytes};
      msghdr& header = receiver.headers[i].msg_hdr;
      header = {};
      header.msg_name = &receiver.from[i];
      header.msg_namelen = sizeof receiver.from[i];
      header.msg_iov = &receiver.vectors[i];
      header.msg_iovlen = 1;
    }
    const int count = recvmmsg(socket->fd, receiver.headers, kBatch, MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    // Commands issued before these events come first; they may have closed the socket.
    workOffCommands();
    socket = sockets_.get(handle);
    if (socket == nullptr) return;
    for (int i = 0; i < count; i++) {
      context_.counters.datagramsIn++;
      if (receiver.headers[i].msg_hdr.msg_flags & MSG_TRUNC) continue;
      dispatch(*socket, Endpoint::fromSocket(receiver.from[i]), {receiver.bytes[i], receiver.headers[i].msg_len});
    }
    if (count < static_cast<int>(kBatch)) return;
  }
}

void Engine::acceptFrom(MediaSocket& listener) {
  for (size_t n = 0; n < kBatch; n++) {
    Stream* taken = nullptr;
    switch (streams_.accept(listener, context_.nowMs, taken)) {
      case StreamSockets::Outcome::Taken: setWatch(taken->socket, EPOLLIN, EPOLL_CTL_ADD); break;
      case StreamSockets::Outcome::TurnedAway: context_.counters.refused++; break;
      case StreamSockets::Outcome::NoneWaits: return;
      // Who waits goes on waiting: looking again at once would take the whole processor.
      case StreamSockets::Outcome::NoDescriptors:
        listener.resting = true;
        return setWatch(listener, 0, EPOLL_CTL_MOD);
    }
  }
}

void Engine::serveStream(Handle handle, uint32_t ready) {
  Stream* stream = streams_.get(handle);
  if (stream == nullptr) return;
  if (ready & EPOLLOUT) stream->socket.queue.flush(context_.counters);
  if ((ready & ~EPOLLOUT) && !receiveStream(*stream)) cut(handle);
}

bool Engine::receiveStream(Stream& stream) {
  const ssize_t length = recv(stream.socket.fd, receiver_->bytes, sizeof receiver_->bytes[0] * kStreamReads, MSG_DONTWAIT);
  if (length == 0) return false;
  if (length < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  // What was commanded before this was sent goes before it.
  workOffCommands();
  stream.heardMs = context_.nowMs;
  const View bytes = {receiver_->bytes[0], static_cast<size_t>(length)};
  return stream.framer.feed(bytes, [&](View datagram) {
    context_.counters.datagramsIn++;
    // Before a check there is nothing that a peer could want.
    if (!stream.proven() && !stun::isStun(datagram)) return false;
    dispatch(stream.socket, stream.peer, datagram);
    return true;
  });
}

void Engine::cut(Handle handle) {
  const auto stream = streams_.take(handle);
  if (stream == nullptr) return;
  sessions_.each([&](Session& session) { session.socketClosed(&stream->socket); });
}

void Engine::dispatch(MediaSocket& socket, const Endpoint& from, View datagram) {
  if (socket.use == SocketUse::Ingest) {
    if (socket.ingest != nullptr && from.isLoopback()) socket.ingest->receiveIngest(socket.ingestKind, datagram, context_);
    return;
  }
  Session* session = socket.owner;
  MediaSocket::Binding* bound = nullptr;
  const bool stunned = stun::isStun(datagram);
  if (session == nullptr && stunned) {
    const auto message = stun::parse(datagram);
    if (message && message->type == stun::Request) {
      const auto named = names_.find(std::string(message->username.substr(0, message->username.find(':'))));
      if (named != names_.end()) session = named->second;
    }
  } else if (session == nullptr) {
    const auto known = socket.paths.find(from);
    if (known != socket.paths.end()) {
      bound = &known->second;
      session = bound->session;
    }
  }
  if (session == nullptr) {
    context_.counters.refused++;
    return;
  }
  if (stunned) session->receiveStun(socket, from, datagram, context_);
  else if (session->receive(from, datagram, receiver_->plain, context_) && bound != nullptr) bound->provenMs = context_.nowMs;
}

// Each viewer gets everything new in one go.
void Engine::fanOut() {
  auto& dirty = context_.dirty;
  const auto gathering = [&](Track* track) {
    const StoredPacket* newest = track->ring().get(track->ring().head());
    return newest != nullptr && !newest->marker && context_.nowMs - track->dirtySinceMs < kGatherMs;
  };
  for (size_t i = 0; i < dirty.size();) {
    Track* track = dirty[i];
    if (gathering(track)) {
      i++;
      continue;
    }
    dirty[i] = dirty.back();
    dirty.pop_back();
    track->dirty = false;
    const bool more = fanOut_.serve(*track);
    const bool known = std::find(pacing_.begin(), pacing_.end(), track) != pacing_.end();
    if (more && !known) pacing_.push_back(track);
  }
}

void Engine::flush() {
  const auto flushOne = [this](MediaSocket& socket) {
    socket.flushLane(0, context_.counters);
    watch(socket);
  };
  sockets_.each(flushOne);
  streams_.each([&](Stream& stream) { flushOne(stream.socket); });
}

// A full socket reports when it is writable again.
void Engine::watch(MediaSocket& socket) {
  const bool wanted = socket.queue.blocked();
  if (wanted == socket.watchesWritable) return;
  socket.watchesWritable = wanted;
  setWatch(socket, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

void Engine::setWatch(const MediaSocket& socket, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = socket.handle | (socket.use == SocketUse::Stream ? kStreamFlag : 0);
  epoll_ctl(epoll_, operation, socket.fd, &event);
}

double Engine::nextWakeMs() const {
  double next = tickedMs_ + kTickMs;
  for (const Track* track : context_.dirty) next = std::min(next, track->dirtySinceMs + kGatherMs);
  if (!pacing_.empty()) next = std::min(next, context_.nowMs + kPaceMs);
  sources_.each([&](const Source& source) {
    if (source.nackDueMs >= 0) next = std::min(next, source.nackDueMs);
  });
  return next;
}

void Engine::runTimers() {
  std::vector<Track*> paced;
  paced.swap(pacing_);
  for (Track* track : paced) {
    if (track->dirty) continue;
    track->dirty = true;
    track->dirtySinceMs = 0;
    context_.dirty.push_back(track);
  }
  sources_.each([this](Source& source) {
    if (source.nackDueMs >= 0 && source.nackDueMs <= context_.nowMs) source.askAgain(context_);
  });
  if (context_.nowMs - tickedMs_ >= kTickMs) tick();
}

void Engine::tick() {
  tickedMs_ = context_.nowMs;
  sessions_.each([this](Session& session) { session.tick(context_); });
  sources_.each([this](Source& source) { source.tick(context_); });
  sinks_.each([this](Sink& sink) { sink.tick(context_); });
  for (const Handle handle : streams_.overdue(context_.nowMs)) cut(handle);
  sockets_.each([this](MediaSocket& socket) {
    if (std::exchange(socket.resting, false)) setWatch(socket, EPOLLIN, EPOLL_CTL_MOD);
  });
  shareMemory();
  publish();
}

size_t Engine::shareOfMachine() {
  const auto bytes = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return std::max(kLeastMemoryBytes, bytes / 8);
}

// Where all tracks together remember too much, those with the most give it back.
void Engine::shareMemory() {
  size_t bytes = 0;
  size_t count = 0;
  tracks_.each([&](Track& track) {
    bytes += track.ring().bytes();
    count++;
  });
  const size_t each = bytes <= memoryBytes_ ? std::numeric_limits<size_t>::max() : memoryBytes_ / count;
  tracks_.each([&](Track& track) { track.limitMemory(each, context_.nowMs); });
}

}  // namespace rushlight
