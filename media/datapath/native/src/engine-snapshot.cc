// Statistics of everything that the thread owns, for JavaScript.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "engine.h"

namespace rushlight {

void Engine::publish() {
  auto& out = snapshots_.back();
  out.assign(SnapshotLayout::kHead, 0);
  double counts[4] = {};
  const auto row = [&](size_t kind, std::initializer_list<double> values) {
    counts[kind]++;
    out.insert(out.end(), values);
  };
  sessions_.each([&](Session& session) {
    const Silence& silence = session.silence();
    row(0, {double(session.handle()), silence.lastMs(), double(silence.isQuiet(context_.nowMs)), double(silence.isGone(context_.nowMs))});
  });
  tracks_.each([&](Track& track) {
    row(1, {double(track.handle()), double(track.frames()), double(track.octets()), track.lastFrameMs(), track.keyframeMs(),
            double(track.keyframe() >= 0), double(track.ring().bytes()), double(track.reorders())});
  });
  sources_.each([&](Source& source) {
    row(2, {double(source.handle()), source.lastPacketMs(), double(source.packetsLost()), source.captureDelayMs().value_or(NAN),
            double(source.packetsExpected())});
  });
  sinks_.each([&](Sink& sink) {
    const SinkStats& stats = sink.stats();
    row(3, {double(sink.handle()), double(stats.packets), double(stats.octets), double(stats.retransmitted),
            double(stats.retransmittedOctets), double(stats.retransmitsRefused), double(stats.skippedFrames), stats.lossRatio, stats.rttMs});
  });
  const Counters& counters = context_.counters;
  const double head[SnapshotLayout::kHead] = {context_.nowMs, counts[0], counts[1], counts[2], counts[3], double(counters.datagramsIn),
                                              double(counters.datagramsOut), double(counters.refused), double(counters.sendErrors),
                                              double(context_.events.dropped())};
  std::copy(std::begin(head), std::end(head), out.begin());
  snapshots_.publish();
}

}  // namespace rushlight
