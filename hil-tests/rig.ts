import type { Console } from './protocols/console.ts';
import type { Gpio } from './protocols/gpio.ts';
import type { Neighbours } from './protocols/neighbours.ts';
import type { Network } from './protocols/network.ts';
import type { Power } from './protocols/power.ts';
import type { Reference } from './protocols/reference.ts';
import type { Storage } from './protocols/storage.ts';
import type { Usb } from './protocols/usb.ts';
import type { Video } from './protocols/video.ts';

/** A device under test and everything the lab can do to it. What a lab lacks is null, and tests that need it are skipped. */
export interface Rig extends AsyncDisposable {
  readonly name: string;
  readonly power: Power;
  readonly console: Console;
  readonly storage: Storage;
  readonly network: Network;
  readonly gpio: Gpio | null;
  readonly video: Video | null;
  readonly usb: Usb | null;
  readonly reference: Reference | null;
  readonly neighbours: Neighbours<Rig> | null;
  /** True if a hardware watchdog would restart a hung device. */
  readonly watchdog: true | null;
  /** How much slower than a board the device is: waits are longer by this factor. */
  readonly slowness: number;
  /** Starts since the rig was set up, with the partition the firmware chose; null if the lab cannot see it. */
  readonly starts:
    | readonly {
        readonly partition: number;
        readonly tryboot: boolean;
        readonly ended: string | null;
        /** What was written to the card, at the last look: up to a second before the end. */
        readonly writtenBytes: number;
      }[]
    | null;
}
