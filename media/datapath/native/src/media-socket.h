// One socket of the datapath's thread: UDP, or TCP of peers whose network blocks UDP.
#pragma once
#include <unistd.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "handles.h"
#include "send-queue.h"
#include "stream-queue.h"
#include "track.h"

namespace rushlight {

class Session;
class Source;

enum class SocketUse : uint8_t {
  // Shared by all viewers and publishers: STUN finds its session by user name, everything else by the peer's address.
  Shared = 0,
  // Belongs to one session that checks its peer.
  Own = 1,
  // Receives plain RTP from a capture pipeline of this machine.
  Ingest = 2,
  // Takes TCP connections.
  Listener = 3,
  // One of these connections: a path to one peer. Not for JavaScript.
  Stream = 4,
};

class MediaSocket {
 public:
  MediaSocket(Handle ownHandle, int descriptor, const Endpoint& address, SocketUse purpose)
      : handle(ownHandle), fd(descriptor), local(address), use(purpose), outlet_(makeOutlet(descriptor, purpose)), queue(*outlet_) {}
  MediaSocket(const MediaSocket&) = delete;
  MediaSocket& operator=(const MediaSocket&) = delete;
  ~MediaSocket() { ::close(fd); }

  const Handle handle;
  const int fd;
  const Endpoint local;
  const SocketUse use;

 private:
  static std::unique_ptr<Outlet> makeOutlet(int descriptor, SocketUse purpose) {
    if (purpose == SocketUse::Stream) return std::make_unique<StreamQueue>(descriptor);
    return std::make_unique<SendQueue>(descriptor);
  }
  const std::unique_ptr<Outlet> outlet_;
  std::vector<std::unique_ptr<SendQueue>> lanes_;

 public:
  // What the engine's thread sends.
  Outlet& queue;
  // Each helper that sends to viewers has a queue of its own. They are empty between two rounds unless the socket is full; until they
  // are empty again the other takes nothing, so that each viewer's datagrams stay in order.
  void openLanes(size_t helpers);
  Outlet& queueOf(size_t lane) { return lane == 0 ? queue : *lanes_[lane - 1]; }
  void flushLane(size_t lane, Counters& counters);
  void holdForLanes();
  // Hands everything over, once the socket is writable again.
  void flush(Counters& counters);
  // Who is at an address, and when something authentic of it came from there last.
  struct Binding {
    Session* session = nullptr;
    double provenMs = -1e9;
  };
  // Paths in use, by the peer's address.
  std::unordered_map<Endpoint, Binding, EndpointHash> paths;
  Session* owner = nullptr;
  Source* ingest = nullptr;
  Kind ingestKind = Kind::Video;
  bool watchesWritable = false;
  // Of a listener: there are no descriptors for more connections now.
  bool resting = false;
};

// Opens, binds and prepares a socket; negative errno on failure. `local` gets the bound port. Any thread may call it.
int openUdpSocket(Endpoint& local);

}  // namespace rushlight
