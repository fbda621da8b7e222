/** Counters of a received video stream at one instant, since the session began. */
export interface ReceiveSample {
  readonly atMs: number;
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly bytesReceived: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly freezeCount: number;
  readonly freezesS: number;
  readonly jitterBufferDelayS: number;
  readonly jitterBufferEmitted: number;
  readonly decodeS: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly rttMs: number | null;
}

/** What happened between two samples; null if nothing arrived to measure. */
export interface ReceiveRates {
  readonly fps: number;
  readonly bitrateKbps: number;
  /** Mean time a frame waited in the jitter buffer. */
  readonly bufferMs: number | null;
  /** Mean time it took to decode a frame. */
  readonly decodeMs: number | null;
  readonly lossRatio: number | null;
}

type Entry = Readonly<Record<string, unknown>>;

const count = (entry: Entry, key: string): number => {
  const value = entry[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
};

const maybe = (entry: Entry | undefined, key: string): number | null => {
  const value = entry?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
};

/** Reads the entries of an RTCStatsReport (W3C webrtc-stats); null before video is received. */
export const sampleOf = (entries: Iterable<Entry>, atMs: number): ReceiveSample | null => {
  let video: Entry | undefined;
  let pair: Entry | undefined;
  for (const entry of entries) {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') video = entry;
    if (entry.type === 'candidate-pair' && entry.nominated === true) pair = entry;
  }
  if (video === undefined) return null;
  const rttS = maybe(pair, 'currentRoundTripTime');
  return {
    atMs,
    framesDecoded: count(video, 'framesDecoded'),
    framesDropped: count(video, 'framesDropped'),
    bytesReceived: count(video, 'bytesReceived'),
    packetsReceived: count(video, 'packetsReceived'),
    packetsLost: count(video, 'packetsLost'),
    freezeCount: count(video, 'freezeCount'),
    freezesS: count(video, 'totalFreezesDuration'),
    jitterBufferDelayS: count(video, 'jitterBufferDelay'),
    jitterBufferEmitted: count(video, 'jitterBufferEmittedCount'),
    decodeS: count(video, 'totalDecodeTime'),
    width: maybe(video, 'frameWidth'),
    height: maybe(video, 'frameHeight'),
    rttMs: rttS === null ? null : rttS * 1000,
  };
};

const perMs = (seconds: number, events: number): number | null =>
  events > 0 ? Math.max(0, (seconds / events) * 1000) : null;

/** Rates from two samples of one session. */
export const ratesOf = (before: ReceiveSample, after: ReceiveSample): ReceiveRates => {
  const spanMs = Math.max(1, after.atMs - before.atMs);
  const frames = Math.max(0, after.framesDecoded - before.framesDecoded);
  const received = Math.max(0, after.packetsReceived - before.packetsReceived);
  // Late packets are subtracted from the loss again, so it can shrink.
  const lost = Math.max(0, after.packetsLost - before.packetsLost);
  const emitted = after.jitterBufferEmitted - before.jitterBufferEmitted;
  return {
    fps: (frames * 1000) / spanMs,
    bitrateKbps: (Math.max(0, after.bytesReceived - before.bytesReceived) * 8) / spanMs,
    bufferMs: perMs(after.jitterBufferDelayS - before.jitterBufferDelayS, emitted),
    decodeMs: perMs(after.decodeS - before.decodeS, frames),
    lossRatio: received + lost > 0 ? lost / (received + lost) : null,
  };
};
