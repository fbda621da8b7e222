/**
 * Frames without a time are stamped with the wall clock as they arrive, and carry their number in the lowest digits of that
 * timestamp: a receiver with only some of them can tell which ones, whatever delayed them. The timestamps lose a step of 1.4 ms
 * to it.
 */

/** Numbers start again after this many frames. */
export const frameNumberCycle = 128;

/** Unit of timestamps with numbers: 90 kHz. */
const ticksPerMicrosecond = 0.09;

/**
 * Filters that stamp frames this way. Of two frames within one step the second goes to the next: timestamps always rise, even
 * if the wall clock is set back.
 */
export function numberedWallClock(): string {
  const arrived = `floor(RTCTIME*${ticksPerMicrosecond}/${frameNumberCycle})*${frameNumberCycle}`;
  const wanted = `st(1,${arrived}+mod(N,${frameNumberCycle}))`;
  const behind = `max(0,ceil((ld(0)-ld(1)+1)/${frameNumberCycle}))`;
  return `settb=1/90000,setpts='${wanted};st(0,ld(1)+${frameNumberCycle}*${behind})'`;
}

/** Number, within the cycle, of the frame with a timestamp in 90 kHz. */
export function frameNumberOf(pts: number): number {
  return pts % frameNumberCycle;
}
