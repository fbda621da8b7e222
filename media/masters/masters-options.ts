import type { Logger } from 'pino';
import type { ChildHost } from '../../common/child-host.ts';
import type { SensorClock } from '../capture/sensor-clock.ts';
import type { RawStream } from '../capture/types.ts';
import type { EncodeSpeed } from './recorder/encode-speed.ts';
import type { RecordRates } from './recorder/record-rates.ts';
import type { MasterCodec, MasterStrategy } from './recorder/recorder-command.ts';
import type { TakeStore } from './take/take-store.ts';

/** A camera that can be recorded, and what its capture pipeline delivers. */
export interface RecordableCamera {
  readonly camera: string;
  readonly raw: RawStream;
}

/** The settings that masters depend on. */
export interface MastersSettings {
  readonly codec: MasterCodec | 'off';
  readonly strategy: MasterStrategy | 'auto';
  readonly reserveBytes: number;
}

/** What masters need of the appliance. */
export interface MastersOptions {
  readonly host: ChildHost;
  readonly logger: Logger;
  readonly store: TakeStore;
  readonly speed: EncodeSpeed;
  readonly rates: RecordRates;
  /** Asked at every start of a take, so a changed configuration holds from the next one on. */
  readonly settings: () => MastersSettings;
  /** All cameras of this appliance that can be recorded now. */
  readonly cameras: () => readonly RecordableCamera[];
  /** The named pipe of a camera's capture pipeline, also of one that does not run (yet). */
  readonly pipeOf: (camera: string) => string;
  /**
   * Gives a camera's pipeline another pipe, because the kernel holds the reader of the present one. This interrupts its live
   * picture, so it is asked only when the camera is to be recorded again.
   */
  readonly renewPipe?: (camera: string) => void;
  /** Reports when a camera's sensor took its frames, if its pipeline knows. */
  readonly sensorClockOf?: (camera: string) => SensorClock | undefined;
  /**
   * Whether a take that an earlier run of the program left unfinished should continue recording. Without it, take.json decides.
   */
  readonly mayGoOn?: (takeId: string) => boolean;
  /** How long a stop waits for recorders, in milliseconds. Default 12 s. */
  readonly stopPatienceMs?: number;
  /** Called when a take changed: state, frames. */
  readonly onChange?: (takeId: string) => void;
}
