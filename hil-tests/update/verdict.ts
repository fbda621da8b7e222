import { chooseBoot } from '../drivers/firmware/boot-files.ts';
import type { SelectorOnDisk } from './cut-guest.ts';

const stateForm =
  /^rushlight-selector 1\npending=([AB]?)\nstarted=([01])\nboots=\d\na=(\w+)\nb=(\w+)\nnote=[\w-]*\nend\n$/;

/**
 * What is wrong with a selector after a cut; null if nothing is. It has to name a slot for both kinds of start, and that slot
 * must be one that was committed properly: not one being written, nor one armed whose trial never began.
 */
export function wrongWith({ autoboot, state }: SelectorOnDisk): string | null {
  const partitions = [false, true].map((trial) => chooseBoot(autoboot, trial).partition).join('-');
  if (partitions !== '2-3' && partitions !== '3-2') return `unbootable: partitions ${partitions}`;
  const committed = partitions === '2-3' ? 'A' : 'B';
  if (state === null) return null;
  const match = stateForm.exec(state);
  if (match === null) return `half written: ${JSON.stringify(state)}`;
  const [, pending, started, a, b] = match;
  if ((committed === 'A' ? a : b) === 'bad') return `half committed: ${committed} is marked bad`;
  if (pending === committed && started !== '1')
    return `half committed: the trial of ${committed} never began`;
  return null;
}

/** The slot a plain start boots. */
export function committedSlot({ autoboot }: SelectorOnDisk): 'A' | 'B' {
  return chooseBoot(autoboot, false).partition === 2 ? 'A' : 'B';
}

/** Upper bound of the failure rate at 95 % confidence, after `trials` without a failure. */
export function upperBound(trials: number): number {
  return 1 - 0.05 ** (1 / trials);
}
