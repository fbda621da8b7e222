#include "sink.h"

#include <algorithm>
#include <cmath>

#include "crypto.h"
#include "session.h"

namespace rushlight {

namespace {

// Neither a large picture nor a join may overrun the buffers on the path: a burst of this many packets, then about
// 77 Mbit/s, or down to 10 if the viewer loses some of it. A long group of pictures would then arrive so slowly that its
// viewer sees it race: the rate rises step by step until something is lost.
constexpr double kBurstPackets = 48;
constexpr double kBurstMs = 4;
constexpr double kLeastPerMs = 1;
constexpr double kMostPerMs = 24;
constexpr double kSpeedUp = 1.5;
constexpr double kSpeedUpPauseMs = 20;
// After a loss the rate stays for this long.
constexpr double kCarefulMs = 10'000;
constexpr double kSlowerPauseMs = 50;
// A viewer this far behind continues at a newer keyframe.
constexpr double kMaxLagMs = 400;
// Pictures before the live one take this long on the viewer's clock, however many there are.
constexpr int64_t kWarpedTicks = kVideoClockHz / 5;
// The same if the viewer saw the newest picture already: less than from one picture to the next.
constexpr int64_t kAgainTicks = kVideoClockHz / 60;
// A viewer starts with the same keyframe again at most this often, and only if there is no new one.
constexpr double kRestartMs = 2000;
constexpr double kDeafMs = 1000;
// A viewer that lost too much of so many packets sent at once has shown nothing yet.
constexpr int64_t kManyPackets = 250;
constexpr double kNothingShownMs = 150;
// One that saw the picture until now is left alone for longer: its path may be full, and most publishers make a keyframe.
constexpr double kFrozenMs = 3000;
constexpr int kMostRepeats = 3;
constexpr double kNeededIntervalMs = 100;
// A report that places the picture further off than this is about something else.
constexpr int32_t kPlausibleTicks = 5 * kVideoClockHz;

}  // namespace

Sink::Sink(SinkOptions options, Track* track, Session* session)
    : options_(std::move(options)),
      track_(track),
      session_(session),
      tap_(session == nullptr),
      map_(1 + randomNumber() % 0x7fff),
      perMs_(kUsualPerMs) {
  track->add(this);
  if (session != nullptr) session->add(this);
}

Sink::~Sink() {
  stayHere();
  if (track_ != nullptr) track_->remove(this);
  if (session_ != nullptr) session_->remove(this);
}

void Sink::trackGone(const Track* track) {
  if (next_ == track) next_ = nullptr;
  if (track_ == track) track_ = nullptr;
}

void Sink::join(double freshMs, double patienceMs, Context& context) {
  if (next_ != nullptr) takeNext(context);
  if (track_ == nullptr) return;
  state_ = State::Waiting;
  freshMs_ = freshMs;
  waitUntilMs_ = -1;
  if (track_->kind() == Kind::Audio) return;
  const bool known = track_->keyframe() >= 0;
  if (known && context.nowMs - track_->keyframeMs() <= freshMs) return start(track_->keyframe(), context);
  waitUntilMs_ = context.nowMs + patienceMs;
  neededMs_ = -1;
  needKeyframe(context);
}

void Sink::pause(Context& context) {
  // Changing to another layer: if nothing is sent, the change is immediate.
  if (next_ != nullptr) takeNext(context);
  state_ = State::Paused;
}

void Sink::pictureLost(Context& context) {
  needKeyframe(context);
  if (!started() || track_->keyframe() < 0 || context.nowMs - startedMs_ < kRestartMs) return;
  const double ageMs = context.nowMs - track_->keyframeMs();
  if (ageMs > kDeafMs && ageMs <= freshMs_) start(track_->keyframe(), context);
}

void Sink::moveTo(Track* track, double freshMs, double patienceMs, Context& context) {
  stayHere();
  if (track == track_) return;
  next_ = track;
  nextFreshMs_ = freshMs;
  track->add(this);
  const bool known = track->keyframe() >= 0;
  if (state_ == State::Paused) return takeNext(context);
  if (state_ == State::Waiting) return join(freshMs, patienceMs, context);
  if (known && context.nowMs - track->keyframeMs() <= freshMs) {
    takeNext(context);
    return start(track_->keyframe(), context);
  }
  nextUntilMs_ = context.nowMs + patienceMs;
  neededMs_ = -1;
  needKeyframe(context);
}

void Sink::stayHere() {
  if (next_ != nullptr) next_->remove(this);
  next_ = nullptr;
  nextUntilMs_ = -1;
}

// From here on everything belongs to the other layer; the viewer's numbers and time continue.
void Sink::takeNext(Context& context) {
  if (!moved_) {
    before_.reset();
    const auto timestamp = track_ == nullptr ? std::nullopt : track_->clock().timestampAt(context.nowMs);
    if (timestamp) before_ = Moment{context.nowMs, *timestamp + offset_};
  }
  moved_ = true;
  if (track_ != nullptr) track_->remove(this);
  track_ = std::exchange(next_, nullptr);
  nextUntilMs_ = -1;
  freshMs_ = nextFreshMs_;
  skippedFrom_ = -1;
  // A number of the other track.
  repeatedKeyframe_ = -1;
  prefaceDue_ = false;
}

// Places the track's times after those of the viewer: by the clock, as both layers show the same picture.
void Sink::align(const Context& context) {
  moved_ = false;
  const StoredPacket* newest = track_->ring().get(track_->ring().head());
  if (stats_.packets == 0 || newest == nullptr) {
    offset_ = 0;
    return;
  }
  const uint32_t soonest = lastTimestamp_ + static_cast<uint32_t>(kAgainTicks) + 1;
  offset_ = soonest - newest->timestamp;
  if (before_) {
    const auto elapsed = static_cast<int64_t>((context.nowMs - before_->atMs) * kVideoClockHz / 1000);
    const uint32_t now = before_->timestamp + static_cast<uint32_t>(elapsed);
    const auto known = track_->clock().timestampAt(context.nowMs);
    const bool plausible = known && std::abs(timestampDistance(newest->timestamp, *known)) <= kPlausibleTicks;
    offset_ = now - (plausible ? *known : newest->timestamp);
  }
  // Time never runs backwards for a viewer.
  const int32_t early = timestampDistance(newest->timestamp + offset_, soonest);
  if (early > 0) offset_ += static_cast<uint32_t>(early);
  // The next report ties the new times to the clock.
  reportedMs_ = -1000;
}

void Sink::keyframeBegan(const Track& track, Context& context) {
  if (&track == next_) takeNext(context);
  else if (&track != track_ || state_ != State::Waiting) return;
  if (isVideo()) start(track_->keyframe(), context);
}

void Sink::start(int64_t sequence, Context& context) {
  startAt(sequence, context);
  if (track_->dirty) return;
  track_->dirty = true;
  track_->dirtySinceMs = 0;
  context.dirty.push_back(track_);
}

void Sink::startAt(int64_t sequence, const Context& context) {
  if (moved_) align(context);
  const StoredPacket* first = track_->ring().get(sequence);
  warp_ = first != nullptr && isVideo() ? warpFrom(*first) : Warp{};
  if (first != nullptr) lastTimestamp_ = timestampOf(*first);
  firstOfStart_ = map_.next();
  prefaceAt_ = -1;
  prefaceDue_ = isVideo() && !track_->preface().empty();
  if (prefaceDue_) {
    prefaceAt_ = map_.next();
    prefaceTimestamp_ = lastTimestamp_;
    preface_ = toVector(track_->preface());
  }
  map_.continueAt(sequence, prefaceDue_ ? 1 : 0);
  if (skippedFrom_ >= 0) stats_.skippedFrames += framesBetween(skippedFrom_, sequence);
  skippedFrom_ = -1;
  startedAt_ = cursor_ = sequence;
  startedMs_ = context.nowMs;
  backlog_ = track_->ring().head() - sequence;
  state_ = State::CatchingUp;
}

Sink::Warp Sink::warpFrom(const StoredPacket& first) const {
  const StoredPacket* newest = track_->ring().get(track_->ring().head());
  if (newest == nullptr) return {};
  const int64_t span = std::max(1, timestampDistance(first.timestamp, newest->timestamp));
  // Time never runs backwards for a viewer: repeated pictures fit in before the next one.
  const bool again = stats_.packets > 0 && timestampDistance(lastTimestamp_, first.timestamp + offset_) <= 0;
  if (again) return {newest->sequence, first.timestamp, span, lastTimestamp_ + 1, std::min(span, kAgainTicks)};
  if (span <= kWarpedTicks) return {};
  return {newest->sequence, first.timestamp, span, newest->timestamp + offset_ - static_cast<uint32_t>(kWarpedTicks), kWarpedTicks};
}

void Sink::offerLate(const Track& track, int64_t sequence, Context& context) {
  if (&track != track_ || !started() || sequence >= cursor_ || sequence < startedAt_) return;
  const StoredPacket* packet = track_->ring().get(sequence);
  if (packet != nullptr) send(*packet, context);
}

size_t Sink::due() const {
  if (track_ == nullptr || !started()) return 0;
  return static_cast<size_t>(std::clamp<int64_t>(track_->ring().head() - cursor_ + 1, 0, static_cast<int64_t>(kBurstPackets)));
}

bool Sink::pump(Context& context) {
  if (track_ == nullptr || state_ == State::Paused) return false;
  const PacketRing& ring = track_->ring();
  if (state_ == State::Waiting) {
    if (track_->kind() == Kind::Video || ring.head() < 0) return false;
    startAt(ring.head(), context);
  }
  if (stalled(context)) return true;
  if (state_ == State::Waiting) return false;
  if (prefaceDue_) {
    if (!transmit(preface_, false, prefaceTimestamp_, prefaceAt_, context)) return true;
    map_.sent(prefaceAt_);
    prefaceDue_ = false;
  }
  if (cursor_ > ring.head()) return false;
  speedUp(context);
  allowance_ = std::min(std::max(kBurstPackets, perMs_ * kBurstMs), allowance_ + (context.nowMs - pumpedMs_) * perMs_);
  pumpedMs_ = context.nowMs;
  for (; cursor_ <= ring.head() && allowance_ >= 1; cursor_++) {
    const StoredPacket* packet = ring.get(cursor_);
    if (packet == nullptr) continue;
    if (!send(*packet, context)) return true;
    allowance_--;
  }
  const bool more = cursor_ <= ring.head();
  state_ = more ? State::CatchingUp : State::Live;
  if (!more) perMs_ = std::min(perMs_, kUsualPerMs);
  return more;
}

// Loss during catching up means that it was sent too fast.
void Sink::slowDown(Context& context) {
  if (state_ != State::CatchingUp || context.nowMs - slowedMs_ < kSlowerPauseMs) return;
  slowedMs_ = context.nowMs;
  perMs_ = std::max(kLeastPerMs, perMs_ / 2);
}

bool Sink::isCareful(double nowMs) const { return slowedMs_ >= 0 && nowMs - slowedMs_ < kCarefulMs; }

void Sink::speedUp(Context& context) {
  if (state_ != State::CatchingUp || isCareful(context.nowMs) || context.nowMs - std::max(spedMs_, startedMs_) < kSpeedUpPauseMs) return;
  spedMs_ = context.nowMs;
  perMs_ = std::min(kMostPerMs, perMs_ * kSpeedUp);
}

// True if nothing can be sent now.
bool Sink::stalled(Context& context) {
  const PacketRing& ring = track_->ring();
  if (!tap_ && (session_ == nullptr || !session_->canSend())) {
    cursor_ = ring.head() + 1;
    return false;
  }
  const StoredPacket* next = ring.get(cursor_);
  // One whose way takes no more never catches up: a newer keyframe is nearer to the live picture.
  const bool stuck = isVideo() && !tap_ && session_->blocked(context) && track_->keyframe() > cursor_;
  const bool late = next != nullptr && context.nowMs - next->arrivalMs > kMaxLagMs && (state_ == State::Live || stuck);
  if (cursor_ < ring.tail() || late) skip(context);
  if (state_ == State::Waiting) return false;
  if (!tap_ && !session_->settled(context.nowMs)) return true;
  return tap_ ? !context.events.roomForBulk() : session_->blocked(context);
}

// Continues at the newest keyframe, or waits for the next one: never a torn picture.
void Sink::skip(Context& context) {
  const PacketRing& ring = track_->ring();
  const int64_t target = isVideo() ? track_->keyframe() : ring.head();
  if (target > cursor_) {
    stats_.skippedFrames += framesBetween(cursor_, target);
    startAt(target, context);
  } else if (cursor_ < ring.tail()) {
    skippedFrom_ = cursor_;
    state_ = State::Waiting;
    waitUntilMs_ = -1;
    if (isVideo()) needKeyframe(context);
  }
}

// If the publisher makes no keyframe meanwhile, the remembered one is sent once more, at a slower pace.
void Sink::giveUpPicture(Context& context) {
  if (!isVideo() || !started() || options_.steady) return;
  waitUntilMs_ = -1;
  if (mayRepeatKeyframe()) waitUntilMs_ = context.nowMs + (hasShownNothing(context.nowMs) ? kNothingShownMs : kFrozenMs);
  skippedFrom_ = cursor_;
  state_ = State::Waiting;
  perMs_ = std::max(kLeastPerMs, std::min(perMs_, kUsualPerMs) / 4);
}

bool Sink::hasShownNothing(double nowMs) const { return backlog_ >= kManyPackets && nowMs - startedMs_ < kRestartMs; }

bool Sink::mayRepeatKeyframe() const {
  const int64_t keyframe = track_->keyframe();
  return keyframe >= 0 && (keyframe != repeatedKeyframe_ || repeats_ < kMostRepeats);
}

void Sink::repeatKeyframe(Context& context) {
  const int64_t keyframe = track_->keyframe();
  repeats_ = keyframe == repeatedKeyframe_ ? repeats_ + 1 : 1;
  repeatedKeyframe_ = keyframe;
  start(keyframe, context);
}

void Sink::needKeyframe(Context& context) {
  if (neededMs_ >= 0 && context.nowMs - neededMs_ < kNeededIntervalMs) return;
  neededMs_ = context.nowMs;
  context.events.push({EventType::ViewerNeedsKeyframe, options_.handle});
}

uint64_t Sink::framesBetween(int64_t from, int64_t to) const {
  const PacketRing& ring = track_->ring();
  uint64_t frames = 0;
  std::optional<uint32_t> last;
  for (int64_t sequence = std::max(from, ring.tail()); sequence < to; sequence++) {
    const StoredPacket* packet = ring.get(sequence);
    if (packet == nullptr || last == packet->timestamp) continue;
    last = packet->timestamp;
    frames++;
  }
  return frames;
}

uint32_t Sink::timestampOf(const StoredPacket& packet) const {
  if (packet.sequence > warp_.until) return packet.timestamp + offset_;
  const int64_t since = std::max(0, timestampDistance(warp_.from, packet.timestamp));
  return warp_.to + static_cast<uint32_t>(since * warp_.window / warp_.span);
}

// False if the path is full now; the packet is then still to be sent.
bool Sink::send(const StoredPacket& packet, Context& context) {
  const auto viewer = map_.toViewer(packet.sequence);
  if (!viewer) return true;
  const uint32_t timestamp = timestampOf(packet);
  if (!transmit(packet.view(), packet.marker, timestamp, *viewer, context)) return false;
  map_.sent(*viewer);
  if (stats_.packets == 1 || timestampDistance(lastTimestamp_, timestamp) > 0) lastTimestamp_ = timestamp;
  budget_.earn(packet.length, context.nowMs);
  return true;
}

bool Sink::transmit(View payload, bool marker, uint32_t timestamp, int64_t viewer, Context& context) {
  if (tap_) {
    const bool taken = context.events.push(
        {EventType::Tap, options_.handle, static_cast<double>(viewer), timestamp, marker, toVector(payload)});
    if (!taken) return false;
  } else {
    if (session_ == nullptr) return true;
    const auto payloadType = options_.payloadType;
    if (!session_->sendRtp({marker, payloadType, static_cast<uint16_t>(viewer), timestamp, options_.ssrc, payload}, viewer, context)) {
      return false;
    }
  }
  stats_.packets++;
  stats_.octets += payload.size();
  return true;
}

}  // namespace rushlight
