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

/** Something else lies where a take's file should: a link, a named pipe, a device. */
export class StrangeFileError extends Error {
  readonly code = 'FILE_STRANGE';
  override readonly name = 'StrangeFileError';

  constructor(path: string, { what = 'is no file', cause }: { what?: string; cause?: unknown } = {}) {
    super(`${path} ${what}`, { cause });
  }
}

/** take.json of a take cannot be understood: nothing is written over it. */
export class TakeDamagedError extends Error {
  readonly code = 'TAKE_DAMAGED';
  override readonly name = 'TakeDamagedError';
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

/** No room for more files, although there may be for bytes. */
export class DiskFilesError extends Error {
  readonly code = 'DISK_FILES_USED_UP';
  override readonly name = 'DiskFilesError';

  constructor() {
    super(
      'the disk is full: it has no room for more files. Delete takes or other files, or use another disk',
    );
  }
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
  readonly code: string = 'FFMPEG_FAILED';
  override readonly name: string = 'FfmpegError';
}

/**
 * An ffmpeg run that tells nothing about the file it read, whatever its exit code: a disk failed under it. It is to be asked
 * again.
 */
export class NoAnswerError extends FfmpegError {
  override readonly code: string = 'FFMPEG_NO_ANSWER';
  override readonly name: string = 'NoAnswerError';
}

/** An ffmpeg run that ended as if all were well, and gave not one frame. */
export class EmptyAnswerError extends NoAnswerError {
  override readonly code = 'FFMPEG_EMPTY';
  override readonly name = 'EmptyAnswerError';
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
