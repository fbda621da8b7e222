import type { Lab } from '../lib/lab.ts';
import type { Rig } from '../rig.ts';
import { openBoardRig } from './board/board-rig.ts';
import { openQemuRig } from './qemu/qemu-rig.ts';

/** The rig that a lab describes. Nothing is switched on yet. */
export async function openRig(name: string, lab: Lab): Promise<Rig> {
  if (lab.driver === 'board') return await openBoardRig(name, lab);
  const { arch, image, cores, slowness, watchdog } = lab;
  const sizes = { memoryMb: lab.memory_mb, cardMb: lab.card_mb, ssdMb: lab.ssd_mb };
  return await openQemuRig({ name, arch, image, cores, slowness, watchdog, ...sizes });
}
