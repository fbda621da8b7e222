// Sends what is new of a track to all its viewers. A large audience is divided among several threads: meanwhile tracks and their rings are
// only read, and what else is touched, a session and one sink of it, belongs to one thread.
#pragma once
#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <memory>
#include <vector>

#include "context.h"
#include "handles.h"
#include "helpers.h"
#include "media-socket.h"
#include "sink.h"

namespace rushlight {

// Packets, counted for each viewer, that are worth waking one helper: about a millisecond's work. It costs a tenth of a millisecond of
// processor time, and with less work more than half as much as it saves.
inline size_t packetsPerHelperOfMachine() {
#ifdef __aarch64__
  // Four to five times as long for each packet.
  if ((getauxval(AT_HWCAP) & HWCAP_AES) == 0) return 250;
#endif
  return 1000;
}

struct FanOutOptions {
  size_t helpers = Helpers::countOfMachine();
  size_t packetsPerHelper = packetsPerHelperOfMachine();
  // A longer wait for a helper means that others need its processor: one thread is faster for now. A viewer takes a helper less than a
  // millisecond, also on a slow board.
  double patienceMs = 3;
};

class FanOut {
 public:
  FanOut(FanOutOptions options, const Table<MediaSocket>& sockets, Context& context);

  // True if more waits for its turn.
  bool serve(const Track& track);

 private:
  struct alignas(64) Lane {
    Context* context;
    bool more = false;
  };

  bool divide(const std::vector<Sink*>& sinks);
  size_t choose(const std::vector<Sink*>& sinks);
  void collect();

  const Table<MediaSocket>& sockets_;
  Context& context_;
  const FanOutOptions options_;
  std::vector<std::unique_ptr<Context>> contexts_;
  // One for each thread.
  std::vector<Lane> lanes_;
  uint64_t round_ = 0;
  double aloneUntilMs_ = -1;
  // Of this round: the sinks that any thread may serve, and those that are left to the engine's.
  std::vector<Sink*> shared_;
  std::vector<Sink*> own_;
  // Its threads use everything above.
  Helpers helpers_;
};

}  // namespace rushlight
