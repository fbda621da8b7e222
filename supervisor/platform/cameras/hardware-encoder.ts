import { readVideoNodes, type SystemRoots, systemRoots } from './video-nodes.ts';

/** Device node of the VideoCore's H.264 encoder (Zero 2 W, 3, 4), found by its name; null if there is none. */
export async function findHardwareEncoder(roots: SystemRoots = systemRoots): Promise<string | null> {
  const nodes = await readVideoNodes(roots);
  const encoder = nodes.find(({ name }) => name === 'bcm2835-codec-encode');
  return encoder === undefined ? null : `${roots.dev}/${encoder.node}`;
}
