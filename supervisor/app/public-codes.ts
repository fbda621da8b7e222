import type {
  ControlCode,
  DiskFilesError,
  DiskReserveError,
  DiskUnavailableError,
  MastersError,
  PictureErrorCode,
  SignalingCode,
  TakeDamagedError,
  TakeIdError,
  TakeNotFoundError,
  TakeRemovalError,
  TakeUnfinishedError,
} from '../../media/index.ts';
import type { OtaErrorCode } from '../../ota/index.ts';
import type { ApiErrorCode, statusOfCode } from '../api/index.ts';
import type { ConfigChangedError, ConfigInvalidError } from '../config/problem.ts';
import type { StateError } from '../config/state.ts';
import type { PinMismatchError } from '../discovery/index.ts';
import type { AdoptionError } from '../hub/index.ts';
import type {
  ControlInvalidError,
  ControlsUnsupportedError,
  DeviceUnknownError,
} from '../platform/cameras/errors.ts';
import type { ChildSpawnError } from '../process/errors.ts';
import type { ApplianceErrorCode } from '../system/appliance-error.ts';

/**
 * Codes that no caller can do anything about: a program error, or something broken on the machine. Their status is 500, and
 * their details are in the log.
 */
export type OwnFault =
  | Extract<ControlCode, 'METHOD_UNKNOWN' | 'INTERNAL'>
  | Extract<
      OtaErrorCode,
      | 'AUTOBOOT_INVALID'
      | 'SELECTOR_REFUSED'
      | 'SELECTOR_NO_CURRENT'
      | 'SELECTOR_WRITE_FAILED'
      | 'INSTALL_FAILED'
      | 'PROBE_SILENT'
      | 'ARGUMENTS_INVALID'
    >
  | Extract<ApplianceErrorCode, 'HTTP_ENDED' | 'PROGRAM_FAILED'>;

/** Codes that end the start, before any request can come. */
export type AtStart =
  | Extract<ApiErrorCode, 'PORT_TAKEN' | 'ADDRESS_UNUSABLE'>
  | Extract<ApplianceErrorCode, 'DATA_IN_USE' | 'TLS_FILES_UNUSABLE'>;

type AnyCode =
  | ApiErrorCode
  | ApplianceErrorCode
  | OtaErrorCode
  | SignalingCode
  | ControlCode
  | PictureErrorCode
  | AdoptionError['code']
  | ChildSpawnError['code']
  | ConfigChangedError['code']
  | ConfigInvalidError['code']
  | ControlInvalidError['code']
  | DeviceUnknownError['code']
  | DiskFilesError['code']
  | DiskReserveError['code']
  | DiskUnavailableError['code']
  | TakeDamagedError['code']
  | PinMismatchError['code']
  | MastersError['code']
  | ControlsUnsupportedError['code']
  | StateError['code']
  | TakeIdError['code']
  | TakeNotFoundError['code']
  | TakeRemovalError['code']
  | TakeUnfinishedError['code'];

/** Every code of an error that can reach a client. */
export type PublicCode = Exclude<AnyCode, OwnFault | AtStart>;

type None<T extends never> = T;

/** A code without a status does not compile. */
export type Forgotten = None<Exclude<PublicCode, keyof typeof statusOfCode>>;
/** A status whose code does not exist does not compile. */
export type LeftOver = None<Exclude<keyof typeof statusOfCode, PublicCode>>;
