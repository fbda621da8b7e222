/** The arithmetic of the benchmarks. */

/** The smallest sample that `share` of all samples don't exceed (nearest rank); NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort();
  const rank = Math.max(1, Math.ceil(sorted.length * share));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Processor time and memory spent. */
export interface Spent {
  readonly cpuUs: number;
  readonly publishedPackets: number;
  readonly viewers: number;
  /** Of the packets that viewers should get. */
  readonly lostShare: number;
}

/** Microseconds of the server's CPU for each packet that reached a viewer; NaN if none did. */
export function perPacketUs({ cpuUs, publishedPackets, viewers, lostShare }: Spent): number {
  const reached = publishedPackets * viewers * (1 - lostShare);
  return reached > 0 ? cpuUs / reached : Number.NaN;
}

/** Share of one core. */
export function coreShare(cpuUs: number, seconds: number): number {
  return cpuUs / (seconds * 1e6);
}

/** Share of the picture packets that did not arrive, repairs included; NaN if none were expected. */
export function lossShare(expectedPackets: number, deliveredPackets: number): number {
  return (expectedPackets - deliveredPackets) / expectedPackets;
}

/** For samples in which a negative number means that nothing arrived in time. */
export function arrived(samples: readonly number[]): number[] {
  return samples.filter((sample) => sample >= 0);
}
