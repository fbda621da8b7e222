/** A take or master was asked for that is not there. */
export class TakeNotFoundError extends Error {
  readonly code = 'TAKE_NOT_FOUND';
  override readonly name = 'TakeNotFoundError';
}

/** A take of this id exists already, or the id is no plain name. */
export class TakeIdError extends Error {
  readonly code = 'TAKE_ID_INVALID';
  override readonly name = 'TakeIdError';
}

/** A take that is still recorded, compressed or verified cannot be removed. */
export class TakeUnfinishedError extends Error {
  readonly code = 'TAKE_UNFINISHED';
  override readonly name = 'TakeUnfinishedError';
}

/** The disk did not let go of a take's files; what is left of it is still listed. */
export class TakeRemovalError extends Error {
  readonly code = 'TAKE_NOT_REMOVED';
  override readonly name = 'TakeRemovalError';
}

/** take.json is missing or is not what its schema says. */
export class TakeManifestError extends Error {
  readonly code = 'TAKE_MANIFEST_INVALID';
  override readonly name = 'TakeManifestError';
}

/** Too little space to begin a recording. */
export class DiskReserveError extends Error {
  readonly code = 'DISK_RESERVE_REACHED';
  override readonly name = 'DiskReserveError';
  readonly freeBytes: number;
  readonly reserveBytes: number;

  constructor(freeBytes: number, reserveBytes: number) {
    super(
      `${Math.floor(freeBytes / 1e6)} MB are free, ${Math.ceil(reserveBytes / 1e6)} MB are kept in reserve`,
    );
    this.freeBytes = freeBytes;
    this.reserveBytes = reserveBytes;
  }
}

/** The disk of the masters takes nothing: it is away, read-only, full or broken. */
export class DiskUnavailableError extends Error {
  readonly code = 'DISK_UNAVAILABLE';
  override readonly name = 'DiskUnavailableError';
}

/** A framemd5 file that is none. */
export class FrameLogError extends Error {
  readonly code = 'FRAME_LOG_INVALID';
  override readonly name = 'FrameLogError';
}

/** A file that is no Matroska, or whose timecode has no place. */
export class MatroskaError extends Error {
  readonly code = 'MATROSKA_INVALID';
  override readonly name = 'MatroskaError';
}

/** An ffmpeg run that failed, with the last thing it said. */
export class FfmpegError extends Error {
  readonly code = 'FFMPEG_FAILED';
  override readonly name = 'FfmpegError';
}

/** Masters are switched off in the settings. */
export class MastersOffError extends Error {
  readonly code = 'MASTERS_OFF';
  override readonly name = 'MastersOffError';
}

/** A take that cannot be begun. */
export class MastersError extends Error {
  readonly code = 'MASTERS_REFUSED';
  override readonly name = 'MastersError';
}
