/** Why a pipeline ended or stands still. `words` is a sentence for people. */
export interface CaptureFault {
  readonly code:
    | 'device-busy'
    | 'device-missing'
    | 'device-unplugged'
    | 'permission-denied'
    | 'unauthorized'
    | 'connection-refused'
    | 'host-unreachable'
    | 'timed-out'
    | 'not-found'
    | 'format-not-supported'
    | 'codec-not-supported'
    | 'no-camera'
    | 'program-missing'
    | 'stalled'
    | 'ended'
    | 'unknown';
  readonly words: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly code: CaptureFault['code'];
  readonly words: string;
}

/**
 * Lines of ffmpeg (libavformat's strerror texts and its own) and rpicam-vid (libcamera) that name a cause, the most telling
 * first: an "Input/output error" that follows a "Device or resource busy" says nothing new.
 */
const rules: readonly Rule[] = [
  {
    pattern: /Device or resource busy|Pipeline handler in use by another process|failed to acquire camera/i,
    code: 'device-busy',
    words: 'Another program uses the camera.',
  },
  {
    pattern: /no cameras available|camera index out of range|selected camera is not available/i,
    code: 'no-camera',
    words: 'No camera module was found: check its cable.',
  },
  {
    pattern: /No such device(?! or address)|VIDIOC_DQBUF.*(No such device|Input\/output)/i,
    code: 'device-unplugged',
    words: 'The camera was unplugged.',
  },
  {
    pattern: /Cannot open video device.*No such file|\/dev\/\S+: No such file or directory/i,
    code: 'device-missing',
    words: 'The camera is not plugged in.',
  },
  {
    pattern: /401 Unauthorized|authorization failed|403 Forbidden|access denied/i,
    code: 'unauthorized',
    words: 'The camera refuses the user name or the password.',
  },
  {
    pattern: /Permission denied|Operation not permitted/i,
    code: 'permission-denied',
    words: 'The camera may not be opened: permission denied.',
  },
  { pattern: /Connection refused/i, code: 'connection-refused', words: 'The camera refuses the connection.' },
  {
    pattern: /No route to host|Network is unreachable|Failed to resolve hostname|Name or service not known/i,
    code: 'host-unreachable',
    words: 'The camera cannot be reached over the network.',
  },
  {
    pattern: /Connection timed out|Operation timed out|Camera frontend has timed out/i,
    code: 'timed-out',
    words: 'The camera does not answer.',
  },
  {
    pattern: /404 (Stream )?Not Found|Server returned 404/i,
    code: 'not-found',
    words: 'The camera has no such stream.',
  },
  {
    pattern:
      /Not a video capture device|Inappropriate ioctl for device|Cannot find a proper format|does not support|The V4L2 driver changed the video from|Invalid argument.*VIDIOC_S_FMT|VIDIOC_S_FMT.*Invalid argument|unsupported (pixel )?format|Could not find tag for codec/i,
    code: 'format-not-supported',
    words: 'The camera does not deliver this format, size or rate.',
  },
  {
    pattern: /(ffmpeg|rpicam-vid): (command )?not found/i,
    code: 'program-missing',
    words: 'The capture program is not installed.',
  },
];

/** The cause a line of output names, if it names one. Pure; never throws. */
export function faultOfLine(line: string): CaptureFault | undefined {
  const rule = rules.find(({ pattern }) => pattern.test(line));
  return rule === undefined ? undefined : { code: rule.code, words: rule.words };
}

/**
 * What a network camera sends where that is not H.264, from ffmpeg's description of its input. Such a stream is copied all the
 * same, and no frame of it arrives. Pure; never throws.
 */
export function codecFaultOfLine(line: string): CaptureFault | undefined {
  const codec = /Stream #0:\d+\S*: Video: ([a-z0-9]+)/i.exec(line)?.[1]?.toLowerCase();
  if (codec === undefined || codec === 'h264' || codec === 'none') return undefined;
  const name = codec === 'hevc' ? 'H.265' : codec.toUpperCase();
  return {
    code: 'codec-not-supported',
    words: `The camera sends ${name}, which is not passed on. Set its encoder to H.264.`,
  };
}

/** The more telling of two causes: an earlier rule, and among equals the first seen. */
export function moreTelling(known: CaptureFault | undefined, next: CaptureFault | undefined) {
  if (known === undefined || next === undefined) return known ?? next;
  return rankOf(next) < rankOf(known) ? next : known;
}

function rankOf(fault: CaptureFault): number {
  const rank = rules.findIndex(({ code }) => code === fault.code);
  return rank < 0 ? rules.length : rank;
}

/** Hides user and password of every URL in a line. Pure. */
export function redact(line: string): string {
  return line.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1***@');
}
