/** Kinds of machines that differ in how they encode. `pc`: anything that is not a Raspberry Pi. */
export type Board = 'zero2w' | 'pi3' | 'pi4' | 'pi5' | 'pc';

/** What a kind of machine can encode. */
export interface BoardProfile {
  readonly title: string;
  /** Whether it has the VideoCore's H.264 encoder (driver bcm2835-codec). */
  readonly hardwareH264: boolean;
  /**
   * Macroblocks per second that libx264 (ultrafast, zerolatency) is assumed to sustain beside the rest of the appliance, until
   * it is measured; null: more than any camera sends.
   */
  readonly assumedSoftwareMacroblocksPerS: number | null;
}

/** The profile of each kind. */
export const boards: Readonly<Record<Board, BoardProfile>> = {
  zero2w: { title: 'Raspberry Pi Zero 2 W', hardwareH264: true, assumedSoftwareMacroblocksPerS: 54_000 },
  pi3: { title: 'Raspberry Pi 3', hardwareH264: true, assumedSoftwareMacroblocksPerS: 72_000 },
  pi4: { title: 'Raspberry Pi 4', hardwareH264: true, assumedSoftwareMacroblocksPerS: 216_000 },
  pi5: { title: 'Raspberry Pi 5', hardwareH264: false, assumedSoftwareMacroblocksPerS: 490_000 },
  pc: { title: 'PC', hardwareH264: false, assumedSoftwareMacroblocksPerS: null },
};

/** The board by /proc/device-tree/model; null or anything else is a PC. */
export function boardOfModel(model: string | null): Board {
  const text = (model ?? '').replaceAll('\0', '').replace(/ Rev [\d.]+$/, '');
  if (!text.startsWith('Raspberry Pi')) return 'pc';
  if (/Zero 2/.test(text)) return 'zero2w';
  if (/\b(5|500|Compute Module 5)\b/.test(text)) return 'pi5';
  if (/\b(4|400|Compute Module 4S?)\b/.test(text)) return 'pi4';
  return 'pi3';
}
