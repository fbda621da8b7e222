// What sending a picture to many viewers takes with helpers and without, side by side: fan-out-cost ADDRESS [PACKETS [PAUSE_MS [PICTURES]]].
// ADDRESS is one of this machine's IPv4 addresses in a network that loses everything, such as that of a dummy interface.
#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "../src/fan-out.h"
#include "audience.h"

using namespace rushlight;

namespace {

double msOf(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Each variant has its own, so that they can take turns.
class Show {
 public:
  Show(const char* address, size_t viewers, size_t helpers, SrtpProfile profile) : audience_(profile), fanOut_({helpers, 1, 1e9}, sockets_, context_) {
    context_.nowMs = 1000;
    Endpoint local = *Endpoint::parse(address, 0);
    const int fd = openUdpSocket(local);
    CHECK(fd > 0);
    MediaSocket& socket = sockets_.insert(kSocket, std::make_unique<MediaSocket>(kSocket, fd, local, SocketUse::Shared));
    for (uint32_t i = 0; i < viewers; i++) {
      Endpoint peer = local;
      peer.address[3]++;
      peer.port = static_cast<uint16_t>(10'000 + i);
      spectators_.push_back(audience_.open(socket, peer, i + 1, track_, context_));
      spectators_.back().sink->join(0, 0, context_);
    }
    context_.nowMs += 100;
    next(1, true);
  }

  void next(size_t packets, bool keyframe = false) {
    context_.nowMs += 33;
    camera_.show(track_, packets, keyframe, context_);
    const double wall = msOf(CLOCK_MONOTONIC);
    const double processor = msOf(CLOCK_PROCESS_CPUTIME_ID);
    fanOut_.serve(track_);
    sockets_.each([&](MediaSocket& socket) { socket.flushLane(0, context_.counters); });
    wallMs.push_back(msOf(CLOCK_MONOTONIC) - wall);
    processorMs.push_back(msOf(CLOCK_PROCESS_CPUTIME_ID) - processor);
    while (context_.events.pop()) {
    }
  }

  const Counters& counters() const { return context_.counters; }
  std::vector<double> wallMs;
  std::vector<double> processorMs;

 private:
  static constexpr Handle kSocket = 0x10000;
  Context context_;
  Audience audience_;
  Table<MediaSocket> sockets_;
  Track track_{2, Kind::Video, kVideoClockHz};
  Camera camera_;
  std::vector<Spectator> spectators_;
  FanOut fanOut_;
};

// On a machine with other work the faster pictures say what the thing itself takes.
double typical(std::vector<double>& values, double share) {
  const auto at = values.begin() + static_cast<ptrdiff_t>(static_cast<double>(values.size()) * share);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void compare(const char* address, SrtpProfile profile, size_t viewers, size_t packets, int pictures, double pauseMs) {
  std::vector<std::unique_ptr<Show>> shows;
  for (size_t helpers = 0; helpers <= Helpers::countOfMachine(); helpers++) {
    shows.push_back(std::make_unique<Show>(address, viewers, helpers, profile));
  }
  for (int i = 0; i < pictures; i++) {
    for (const auto& show : shows) {
      const timespec pause = {0, static_cast<long>(pauseMs * 1e6)};
      if (pauseMs > 0) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
      show->next(packets);
    }
  }
  std::printf("%s %3zu viewers x %zu:", profile == SrtpProfile::AeadAes128Gcm ? "gcm" : "ctr", viewers, packets);
  double alone[3] = {};
  for (size_t helpers = 0; helpers < shows.size(); helpers++) {
    Show& show = *shows[helpers];
    CHECK(show.counters().datagramsOut >= viewers * static_cast<uint64_t>(pictures) * packets && show.counters().sendErrors == 0);
    const double took[3] = {typical(show.wallMs, 0.1), typical(show.wallMs, 0.5), typical(show.processorMs, 0.5)};
    if (helpers == 0) std::copy(std::begin(took), std::end(took), alone);
    std::printf("  %zu threads p10 %.3f ms (x%.2f) p50 %.3f ms (x%.2f) cpu x%.2f", helpers + 1, took[0], alone[0] / took[0], took[1],
                alone[1] / took[1], took[2] / alone[2]);
  }
  std::puts("");
}

}  // namespace

int main(int count, char** arguments) {
  CHECK(count > 1);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const size_t packets = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 15;
  const double pauseMs = count > 3 ? std::atof(arguments[3]) : 5;
  const int pictures = count > 4 ? std::atoi(arguments[4]) : 200;
  for (const SrtpProfile profile : {SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80}) {
    for (const size_t viewers : {5, 10, 25, 50, 100, 250}) compare(arguments[1], profile, viewers, packets, pictures, pauseMs);
  }
}
