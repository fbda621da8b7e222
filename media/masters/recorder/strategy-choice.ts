import type { RawStream } from '../../capture/types.ts';
import type { MasterCodec, MasterStrategy } from './recorder-command.ts';

/** What the choice depends on. */
export interface StrategyFacts {
  readonly configured: MasterStrategy | 'auto';
  readonly codec: MasterCodec;
  readonly raw: RawStream;
  /** Frames per second that this machine was measured to compress at this geometry, beside the live stream. */
  readonly measuredFps: number | null;
  /** Masters that are compressed at the same time, and share the measured speed. Default 1. */
  readonly atOnce?: number;
}

/** A strategy and its reason. */
export interface StrategyChoice {
  readonly strategy: MasterStrategy;
  /** One sentence for people. */
  readonly reason: string;
}

/** Compressing must be this much faster than the camera: scenes differ, boards throttle, and there is other work to do. */
const headroom = 1.5;

/** Decides whether a master is compressed as it is captured or right after. Pure. */
export function chooseStrategy(facts: StrategyFacts): StrategyChoice {
  const { configured, raw, measuredFps, codec, atOnce = 1 } = facts;
  if (configured !== 'auto') return { strategy: configured, reason: 'The configuration says so.' };
  if (raw.codec !== 'rawvideo') {
    return {
      strategy: 'spool',
      reason: `The camera's ${raw.codec} is small enough to be kept as it is, and compressed after.`,
    };
  }
  if (measuredFps === null) {
    return { strategy: 'spool', reason: 'This machine is not measured (yet), so nothing is left to chance.' };
  }
  const measured = `${codec} was measured at ${measuredFps.toFixed(1)} frames a second`;
  const made = atOnce === 1 ? `the camera makes ${raw.fps}` : `${atOnce} cameras make ${raw.fps} each`;
  const needed = raw.fps * atOnce * headroom;
  return measuredFps >= needed
    ? { strategy: 'direct', reason: `${measured}; ${made}.` }
    : { strategy: 'spool', reason: `${measured}; ${made}, for which ${needed} would be needed.` };
}
