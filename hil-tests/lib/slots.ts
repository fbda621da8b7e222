import type { Rig } from '../rig.ts';

/** What the device's boot selector says, and in which start. */
export interface Slots {
  readonly booted: string;
  readonly committed: string;
  /** The armed slot; empty if there is none. */
  readonly pending: string;
  /** How the last trial ended, such as `failed-B`; empty if there was none. */
  readonly note: string;
  readonly bootId: string;
}

const selector = '/usr/libexec/rushlight/selector';

/** Asks the device. Rejects with RIG_TOOL if it does not answer. */
export async function readSlots(rig: Rig): Promise<Slots> {
  const text = await rig.network.shell(
    `${selector} show; echo "bootId=$(cat /proc/sys/kernel/random/boot_id)"`,
    { timeoutMs: 15_000 * rig.slowness },
  );
  return parseSlots(text);
}

/** `KEY=VALUE` lines; a missing key is empty. Pure. */
export function parseSlots(text: string): Slots {
  const value = (key: string): string =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .trim() ?? '';
  return {
    booted: value('booted'),
    committed: value('committed'),
    pending: value('pending'),
    note: value('note'),
    bootId: value('bootId'),
  };
}

/** Arms the slot that does not run, and restarts into it like an update. */
export async function startTrial(rig: Rig, { booted }: Slots): Promise<void> {
  const other = booted === 'A' ? 'B' : 'A';
  await rig.network.shell(
    `${selector} set-primary ${other}; sync; systemctl --no-block reboot --reboot-argument='0 tryboot'`,
  );
  await rig.network.forget();
}
