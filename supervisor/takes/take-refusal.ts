import { ApplianceError, type ApplianceErrorCode } from '../system/appliance-error.ts';

/** Why an appliance records none of its cameras of a take. */
export interface Refusal {
  /** Its name; null: this one. */
  readonly device: string | null;
  readonly code: string;
  readonly reason: string;
}

/** Reasons that get a code of their own if every camera has them, and what to do about them. */
const known: Partial<Record<ApplianceErrorCode, string>> = {
  DISK_RESERVE_REACHED: 'Delete takes, use a larger disk, or lower masters.reserve_mb in the settings.',
  DISK_FILES_USED_UP: 'Free bytes do not help: each file needs an entry of its own on the disk.',
  DISK_UNAVAILABLE: 'Look after the disk, or plug another one in.',
  MASTERS_OFF: 'Set masters.codec in the settings.',
  MEMBER_UNREACHABLE: 'Look after the network and the power of the cameras.',
};

function isKnown(code: string): code is ApplianceErrorCode {
  return Object.hasOwn(known, code);
}

/** The answer to a start that no camera followed. Pure. */
export function refusalOf(refusals: readonly Refusal[]): ApplianceError {
  const texts = refusals.map(({ device, reason }) => (device === null ? reason : `${device}: ${reason}`));
  const codes = [...new Set(refusals.map(({ code }) => code))];
  const [only] = codes;
  const code = codes.length === 1 && only !== undefined && isKnown(only) ? only : 'NO_CAMERA_RECORDS';
  const text = [...new Set(texts)].join('; ').replace(/\.?$/, '.');
  return new ApplianceError(code, `No camera records: ${text}`, {
    hint: known[code] ?? 'The status says what each camera waits for.',
  });
}
