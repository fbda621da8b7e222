#include "fan-out.h"

#include <algorithm>
#include <utility>

#include "session.h"

namespace rushlight {

namespace {

// After a helper was held up.
constexpr double kAloneMs = 1000;

}  // namespace

FanOut::FanOut(FanOutOptions options, const Table<MediaSocket>& sockets, Context& context)
    : sockets_(sockets),
      context_(context),
      options_(options),
      lanes_(options.helpers + 1),
      helpers_(
          options.helpers, [this](size_t lane, size_t part) { lanes_[lane].more |= shared_[part]->pump(*lanes_[lane].context); },
          [this](size_t lane) { sockets_.each([&](MediaSocket& socket) { socket.flushLane(lane, lanes_[lane].context->counters); }); }) {
  lanes_[0].context = &context_;
  for (size_t lane = 1; lane < lanes_.size(); lane++) {
    contexts_.push_back(std::make_unique<Context>(lane));
    lanes_[lane].context = contexts_.back().get();
  }
}

// The first one rotates, so that nobody always waits for all others.
bool FanOut::serve(const Track& track) {
  const auto& sinks = track.sinks();
  round_++;
  size_t due = 0;
  if (helpers_.count() > 0 && context_.nowMs >= aloneUntilMs_) {
    for (const Sink* sink : sinks) due += sink->due();
  }
  if (due > 0 && due >= options_.packetsPerHelper) return divide(sinks);
  bool more = false;
  for (size_t n = 0; n < sinks.size(); n++) more |= sinks[(round_ + n) % sinks.size()]->pump(context_);
  return more;
}

bool FanOut::divide(const std::vector<Sink*>& sinks) {
  // What was queued for a viewer goes before what another thread sends it.
  sockets_.each([&](MediaSocket& socket) {
    socket.openLanes(helpers_.count());
    socket.flushLane(0, context_.counters);
  });
  const size_t packets = choose(sinks);
  for (const auto& context : contexts_) {
    context->nowMs = context_.nowMs;
    context->unixMs = context_.unixMs;
  }
  const double waitedMs = helpers_.share(shared_.size(), std::min(helpers_.count(), packets / options_.packetsPerHelper));
  if (waitedMs > options_.patienceMs) aloneUntilMs_ = context_.nowMs + kAloneMs;
  collect();
  bool more = false;
  for (Lane& lane : lanes_) more |= std::exchange(lane.more, false);
  for (Sink* sink : own_) more |= sink->pump(context_);
  return more;
}

// The number of packets of those that are shared.
size_t FanOut::choose(const std::vector<Sink*>& sinks) {
  shared_.clear();
  own_.clear();
  size_t packets = 0;
  for (size_t n = 0; n < sinks.size(); n++) {
    Sink* sink = sinks[(round_ + n) % sinks.size()];
    const size_t due = sink->due();
    const bool shared = due > 0 && sink->session() != nullptr && sink->session()->claim(round_);
    (shared ? shared_ : own_).push_back(sink);
    if (shared) packets += due;
  }
  return packets;
}

void FanOut::collect() {
  for (const auto& context : contexts_) {
    while (auto event = context->events.pop()) context_.events.push(std::move(*event));
    context_.counters.datagramsOut += std::exchange(context->counters.datagramsOut, 0);
    context_.counters.sendErrors += std::exchange(context->counters.sendErrors, 0);
  }
  sockets_.each([](MediaSocket& socket) { socket.holdForLanes(); });
}

}  // namespace rushlight
