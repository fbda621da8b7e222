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
    | 'bus-full'
    | 'no-video'
    | 'busy-server'
    | 'slow'
    | 'reordered'
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
 * Lines of ffmpeg (libavformat's strerror texts and its own) and rpicam-vid (libcamera) that name a cause, the most specific
 * first: an "Input/output error" after a "Device or resource busy" says nothing new. ffmpeg 7.1 writes `453Not Enough Bandwidth`.
 */
const rules: readonly Rule[] = [
  {
    pattern: /VIDIOC_(STREAMON|REQBUFS|S_FMT|QBUF).*No space left on device|(?<!453 ?)not enough bandwidth/i,
    code: 'bus-full',
    words:
      'The USB bus has no bandwidth left for this camera: use another USB port or hub, a smaller picture, or MJPEG.',
  },
  {
    pattern: /Stream map '.*' matches no streams|does not contain any stream/i,
    code: 'no-video',
    words: 'The stream has no video, only sound or nothing.',
  },
  {
    pattern: /Could not find codec parameters for stream \d+ \(Video: h264|non-existing PPS \d+ referenced/i,
    code: 'codec-not-supported',
    words:
      'The camera announces H.264, but what it sends is something else, most often H.265. Set the camera to H.264.',
  },
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
    pattern: /401 ?Unauthorized|authorization failed|403 ?Forbidden|access denied/i,
    code: 'unauthorized',
    words: 'The camera asks for a user name and a password: set them, or correct them.',
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
    pattern: /461 ?Unsupported transport|Nonmatching transport in server reply/i,
    code: 'format-not-supported',
    words: 'The camera does not send this way: set the transport of the source to the other one, tcp or udp.',
  },
  {
    pattern: /\b503 ?Service (Temporarily )?Unavailable|453 ?Not Enough Bandwidth|Server returned 5XX/i,
    code: 'busy-server',
    words: 'The camera accepts no further viewers now: close other programs that watch it.',
  },
  {
    pattern: /454 ?Session Not Found/i,
    code: 'ended',
    words: 'The camera has ended the session.',
  },
  {
    pattern: /VIDIOC_\w+.*Protocol error|Protocol error/i,
    code: 'device-unplugged',
    words: 'The camera does not answer on the USB bus: check its cable, or unplug it and plug it in again.',
  },
  {
    pattern: /404 ?(Stream )?Not Found|Server returned 404/i,
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

/** The more specific of two causes: an earlier rule, and among equals the first seen. */
export function moreTelling(known: CaptureFault | undefined, next: CaptureFault | undefined) {
  if (known === undefined || next === undefined) return known ?? next;
  return rankOf(next) < rankOf(known) ? next : known;
}

function rankOf(fault: CaptureFault): number {
  const rank = rules.findIndex(({ code }) => code === fault.code);
  return rank < 0 ? rules.length : rank;
}

/** Names of codecs as cameras show them. */
const codecNames: Readonly<Record<string, string>> = {
  hevc: 'H.265 (HEVC)',
  h264: 'H.264',
  mjpeg: 'motion JPEG',
  mpeg4: 'MPEG-4 Part 2',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
};

/** What is wrong if a source sends another codec than its pipeline passes on. Pure. */
export function codecFault(expected: string, came: string | undefined): CaptureFault | undefined {
  // H.265 is passed on like H.264: those who cannot play it see JPEG pictures.
  if (expected === 'h264' && came === 'hevc') return undefined;
  // Uncompressed frames are what was requested, whatever ffmpeg calls them.
  if (came === undefined || came === 'none' || came === expected || expected === 'rawvideo') return undefined;
  const [sent, wanted] = [came, expected].map((codec) => codecNames[codec] ?? codec);
  return { code: 'codec-not-supported', words: `The camera sends ${sent}. Set it to ${wanted}.` };
}

/** A host ends here; an @ behind it belongs to no user. */
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi;
/**
 * `password=…`, `pwd=…`, `token=…` and the like, anywhere in a path or query; some cameras put both names and secrets there.
 */
const secretField =
  /\b(pass(?:word|wd|wort)?|pwd|psw|token|secret|auth|key|user(?:name)?|usr|login)=([^&\s/;?#'"]*)/gi;

/** Hides user and password of every URL in a line, even in its path or query. Pure. */
export function redact(line: string): string {
  const urls = /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi;
  return line.replace(urls, (url) => url.replace(userInfo, '$1***@').replace(secretField, '$1=***'));
}
