import { RushlightError } from '../../common/errors.ts';

/** The take or master does not exist. */
export class TakeNotFoundError extends RushlightError {
  readonly code = 'TAKE_NOT_FOUND';
}

/** A take with this id exists already, or the id is not a plain name. */
export class TakeIdError extends RushlightError {
  readonly code = 'TAKE_ID_INVALID';
}

/** A take that is still being recorded, compressed or verified cannot be removed. */
export class TakeUnfinishedError extends RushlightError {
  readonly code = 'TAKE_UNFINISHED';
}

/** The disk did not remove all files of a take; the rest is still listed. */
export class TakeRemovalError extends RushlightError {
  readonly code = 'TAKE_NOT_REMOVED';
}

/** Something else is in the place of a take's file: a link, a named pipe, a device. */
export class StrangeFileError extends RushlightError {
  readonly code = 'FILE_STRANGE';

  constructor(path: string, { what = 'is no file', cause }: { what?: string; cause?: unknown } = {}) {
    super(`${path} ${what}`, { cause });
  }
}

/** take.json of a take cannot be understood: it is not overwritten. */
export class TakeDamagedError extends RushlightError {
  readonly code = 'TAKE_DAMAGED';
}

/** take.json is missing or is not what its schema says. */
export class TakeManifestError extends RushlightError {
  readonly code = 'TAKE_MANIFEST_INVALID';
}

/** Too little space to begin a recording. */
export class DiskReserveError extends RushlightError {
  readonly code = 'DISK_RESERVE_REACHED';
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

/** The masters' disk accepts no data: it is away, read-only, full or broken. */
export class DiskUnavailableError extends RushlightError {
  readonly code = 'DISK_UNAVAILABLE';
}

/** No room for more files, although there may be for bytes. */
export class DiskFilesError extends RushlightError {
  readonly code = 'DISK_FILES_USED_UP';

  constructor() {
    super(
      'the disk is full: it has no room for more files. Delete takes or other files, or use another disk',
    );
  }
}

/** A file that is not a valid framemd5 file. */
export class FrameLogError extends RushlightError {
  readonly code = 'FRAME_LOG_INVALID';
}

/** A file that is not Matroska, or whose timecode has no place. */
export class MatroskaError extends RushlightError {
  readonly code = 'MATROSKA_INVALID';
}

/** An ffmpeg run that failed, with its last message. */
export class FfmpegError extends RushlightError {
  readonly code: string = 'FFMPEG_FAILED';
}

/** An ffmpeg run that says nothing about the file it read, whatever its exit code: a disk failed under it. Run it again. */
export class NoAnswerError extends FfmpegError {
  override readonly code: string = 'FFMPEG_NO_ANSWER';
}

/** An ffmpeg run that ended without an error, but gave no frame. */
export class EmptyAnswerError extends NoAnswerError {
  override readonly code = 'FFMPEG_EMPTY';
}

/** Masters are switched off in the settings. */
export class MastersOffError extends RushlightError {
  readonly code = 'MASTERS_OFF';
}

/** A take that cannot begin. */
export class MastersError extends RushlightError {
  readonly code = 'MASTERS_REFUSED';
}
