// The datapath's thread: sockets, timers, and all state of sessions, tracks, sources and sinks. Only this thread
// touches them, or its helpers while it waits for them, so that no packet waits for a lock.
#pragma once
#include <sys/epoll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <thread>

#include "commands.h"
#include "context.h"
#include "fan-out.h"
#include "snapshot.h"
#include "stream-sockets.h"

namespace rushlight {

class Engine {
 public:
  // The thread calls `notify` after it pushed events. All tracks together keep no more than `memoryBytes`.
  explicit Engine(std::function<void()> notify, size_t memoryBytes = shareOfMachine(), FanOutOptions fanOut = {});
  // Ends the thread and wipes all keys.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // For JavaScript's thread. False if the queue stays full, which only a hanging thread can cause.
  bool post(Command command);
  // Waits until all posted commands are done. False if that takes too long.
  bool settle();
  std::optional<Event> takeEvent() { return context_.events.pop(); }
  const std::string& fingerprint() const { return identity_.fingerprint(); }
  const std::vector<double>& snapshot() { return snapshots_.latest(); }

 private:
  void run();
  void workOffCommands();
  void serve(Handle handle, uint32_t ready);
  void receive(MediaSocket* socket);
  void acceptFrom(MediaSocket& listener);
  void serveStream(Handle handle, uint32_t ready);
  // False where the connection is to be cut.
  bool receiveStream(Stream& stream);
  void cut(Handle handle);
  void dispatch(MediaSocket& socket, const Endpoint& from, View datagram);
  void fanOut();
  void flush();
  void watch(MediaSocket& socket);
  // What of a socket the thread waits for.
  void setWatch(const MediaSocket& socket, uint32_t events, int operation);
  void runTimers();
  double nextWakeMs() const;
  void tick();
  void shareMemory();
  void publish();
  void updateClock();
  static size_t shareOfMachine();
  int wait(epoll_event* events, int count, double waitMs);
  static void nap();

  void apply(std::monostate&) {}
  void apply(command::Fence& it) { it.reached->set_value(); }
  void apply(command::AddSocket& it);
  void apply(command::CloseSocket& it);
  void apply(command::OpenSession& it);
  void apply(command::SetIce& it);
  void apply(command::AddCandidate& it);
  void apply(command::StartDtls& it);
  void apply(command::CloseSession& it);
  void apply(command::OpenTrack& it);
  void apply(command::BeginSource& it);
  void apply(command::SetParameterSet& it);
  void apply(command::CloseTrack& it);
  void apply(command::OpenSource& it);
  void apply(command::RequestKeyframe& it);
  void apply(command::NameLayer& it);
  void apply(command::CloseSource& it);
  void apply(command::OpenSink& it);
  void apply(command::Join& it);
  void apply(command::Pause& it);
  void apply(command::MoveSink& it);
  void apply(command::CloseSink& it);

  struct Receiver;

  std::function<void()> notify_;
  const size_t memoryBytes_;
  const DtlsIdentity identity_;
  Queue<Command> commands_;
  SnapshotExchange snapshots_;
  Context context_;
  // In the order of their lifetimes: sinks and sources refer to sessions and tracks, and those to sockets.
  Names names_;
  Table<MediaSocket> sockets_;
  StreamSockets streams_;
  Table<Session> sessions_;
  Table<Track> tracks_;
  Table<Source> sources_;
  Table<Sink> sinks_;
  FanOut fanOut_;
  std::unique_ptr<Receiver> receiver_;
  std::vector<Track*> pacing_;
  int epoll_;
  int wake_;
  bool waitsExactly_ = true;
  double tickedMs_ = 0;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace rushlight
