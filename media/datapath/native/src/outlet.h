// Where datagrams to peers go: into a UDP socket, or framed into a TCP connection.
#pragma once
#include "context.h"
#include "endpoint.h"

namespace rushlight {

class Outlet {
 public:
  Outlet() = default;
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  virtual ~Outlet() = default;

  // Room for a datagram of at most `bytes`, to be filled and committed at once. Null while nothing more is taken.
  virtual uint8_t* reserve(size_t bytes, Counters& counters) = 0;
  // The same for what keeps the connection alive: some room is kept for it where media has to wait.
  virtual uint8_t* reserveUrgent(size_t bytes, Counters& counters) { return reserve(bytes, counters); }
  virtual void commit(const Endpoint& to, size_t bytes, Counters& counters) = 0;
  // Hands everything over; false where the socket is full: the rest goes once it can be written again.
  virtual bool flush(Counters& counters) = 0;
  virtual bool blocked() const = 0;
  // Takes nothing more until it is flushed.
  virtual void hold() = 0;
  virtual bool empty() const = 0;
};

}  // namespace rushlight
