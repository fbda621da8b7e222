// One UDP socket of the datapath's thread.
#pragma once
#include <unistd.h>

#include <string>
#include <unordered_map>

#include "handles.h"
#include "send-queue.h"
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
};

class UdpSocket {
 public:
  UdpSocket(Handle ownHandle, int descriptor, const Endpoint& address, SocketUse purpose)
      : handle(ownHandle), fd(descriptor), local(address), use(purpose), queue(descriptor) {}
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket() { ::close(fd); }

  const Handle handle;
  const int fd;
  const Endpoint local;
  const SocketUse use;
  SendQueue queue;
  // Paths in use, by the peer's address.
  std::unordered_map<Endpoint, Session*, EndpointHash> paths;
  Session* owner = nullptr;
  Source* ingest = nullptr;
  Kind ingestKind = Kind::Video;
  bool watchesWritable = false;
};

// Opens, binds and prepares a socket; negative errno on failure. `local` gets the bound port. Any thread may call it.
int openUdpSocket(Endpoint& local);

}  // namespace rushlight
