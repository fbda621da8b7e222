// State that the objects of the datapath's thread share while it processes one batch.
#pragma once
#include <vector>

#include "events.h"

namespace rushlight {

class Track;

struct Counters {
  uint64_t datagramsIn = 0;
  uint64_t datagramsOut = 0;
  // Datagrams that belonged to no session or failed authentication.
  uint64_t refused = 0;
  uint64_t sendErrors = 0;
};

struct Context {
  explicit Context(size_t ownLane = 0) : lane(ownLane), events(lane == 0 ? EventQueue() : EventQueue(kHelperEvents, 0)) {}

  // Of the thread that it belongs to; 0 is the engine's.
  const size_t lane;
  // CLOCK_MONOTONIC, and the wall clock.
  double nowMs = 0;
  double unixMs = 0;
  EventQueue events;
  Counters counters;
  // Tracks with packets that viewers have not received yet.
  std::vector<Track*> dirty;

 private:
  // More than there are viewers.
  static constexpr size_t kHelperEvents = 512;
};

}  // namespace rushlight
