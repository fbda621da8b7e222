// TCP connections of peers whose network blocks UDP (RFC 6544): who may have one, and for how long.
#pragma once
#include "media-socket.h"
#include "stream-framer.h"

namespace rushlight {

struct Stream {
  Stream(Handle handle, int fd, const Endpoint& local, const Endpoint& from, double nowMs);

  // True where a check named a session by it: the peer is one of ours.
  bool proven() const { return !socket.paths.empty(); }

  MediaSocket socket;
  const Endpoint peer;
  StreamFramer framer;
  const double acceptedMs;
  double heardMs;
  // It was one of ours once.
  bool wasProven = false;
};

class StreamSockets {
 public:
  // Takes a connection that waits at the listener, or turns it away; null where none waits or it was turned away.
  enum class Outcome : uint8_t { Taken, TurnedAway, NoneWaits, NoDescriptors };
  Outcome accept(const MediaSocket& listener, double nowMs, Stream*& taken);

  Stream* get(Handle handle) const { return streams_.get(handle); }
  std::unique_ptr<Stream> take(Handle handle);
  // The connections that are to be cut now: silent ones, those that never proved whose they are, and those whose session ended.
  std::vector<Handle> overdue(double nowMs) const;
  template <typename Visit>
  void each(Visit visit) const { streams_.each(visit); }

 private:
  bool mayTake(const Endpoint& peer) const;
  Handle nextHandle();

  Table<Stream> streams_;
  std::vector<uint32_t> free_;
  uint32_t indices_ = 0;
  uint32_t generation_ = 0;
};

// Like openUdpSocket, for connections.
int openTcpListener(Endpoint& local);

}  // namespace rushlight
