/** The native add-on as it looks from here, and how it is found. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describeError } from '../../../common/errors.ts';
import type { SrtpProfile } from '../srtp/srtp-keys.ts';

/** Handle of an object in the datapath’s thread: an index and a generation. 0 means none. */
export type Handle = number;

/** Numbers shared with `src/events.h`. */
export const NativeEventType = {
  CONNECTED: 0,
  DTLS_FAILED: 1,
  KEYFRAME: 2,
  KEYFRAME_NEEDED: 3,
  PICTURE: 4,
  PARAMETER_SET: 5,
  VIEWER_NEEDS_KEYFRAME: 6,
  SOURCE_NEEDS_KEYFRAME: 7,
  TAP: 8,
  SOURCE_BEGAN: 9,
  PEER_LEFT: 10,
} as const;

/** An event of the thread; see `src/events.h`. */
export type NativeEvent = [
  type: number,
  handle: Handle,
  bytes: Buffer,
  sequence: number,
  timestamp: number,
  marker: boolean,
];

/** In the order of their numbers in `src/srtp.h`. */
export const srtpProfiles: readonly SrtpProfile[] = ['aead-aes-128-gcm', 'aes-128-cm-hmac-sha1-80'];

/** Numbers shared with `src/media-socket.h`. */
export const SocketUse = { SHARED: 0, OWN: 1, INGEST: 2, LISTENER: 3 } as const;
/** Kinds of tracks. */
export const TrackKind = { VIDEO: 0, AUDIO: 1 } as const;

/** Calls are commands to a thread: they take effect in order, soon, and do nothing if their object is gone. */
export interface NativeBinding {
  /** Binds at once: the port taken, or a negative errno. `owner` is the session of an own socket, the source of an ingest. */
  addSocket(
    socket: Handle,
    address: string,
    port: number,
    use: number,
    owner: Handle,
    trackKind: number,
  ): number;
  closeSocket(socket: Handle): void;
  openSession(session: Handle, controlling: boolean, silenceMs: number): void;
  setIce(session: Handle, ufrag: string, pwd: string, remoteUfrag: string, remotePwd: string): void;
  /** False if the address is not numeric. */
  addCandidate(session: Handle, address: string, port: number): boolean;
  /** `profile` is preferred; each line of `fingerprints` has an algorithm, a blank and a value. */
  startDtls(session: Handle, client: boolean, profile: number, fingerprints: string): void;
  /** SHA-256 of the certificate that all sessions show, as in SDP. */
  fingerprint(): string;
  /** Sends the peer a close alert. */
  closeSession(session: Handle): void;
  openTrack(track: Handle, kind: number, clockRate: number): void;
  /** Another source sends from now on: what its packets look like, and which parameter sets they need, has to be learnt. */
  beginSource(track: Handle): void;
  setParameterSet(track: Handle, nal: Buffer): void;
  closeTrack(track: Handle): void;
  /** Numbers of payload types and of the extension are -1 if there is none. */
  openSource(
    source: Handle,
    session: Handle,
    video: Handle,
    audio: Handle,
    videoPayloadType: number,
    audioPayloadType: number,
    repairPayloadType: number,
    bitsPerSecond: number,
    tellsCaptureTime: boolean,
    reducedSize: boolean,
    midExtension: number,
    videoMid: string,
    audioMid: string,
    /** It is one of several layers that the publisher sends at once; `nameLayer` follows. */
    layered: boolean,
    /** The header extension that numbers all packets of the connection. */
    transportExtension: number,
  ): void;
  requestKeyframe(source: Handle): void;
  /**
   * The source accepts only one of the layers that its publisher sends. `full` is the source of the full layer if this is the small one; 0
   * otherwise.
   */
  nameLayer(
    source: Handle,
    rid: string,
    ridExtension: number,
    repairedRidExtension: number,
    full: Handle,
  ): void;
  closeSource(source: Handle): void;
  openSink(
    sink: Handle,
    track: Handle,
    session: Handle,
    ssrc: number,
    payloadType: number,
    steady: boolean,
    cname: string,
    repairSsrc: number,
    repairPayloadType: number,
  ): void;
  /** Starts with a keyframe of at most `freshMs`; else with the next, or after `patienceMs` with the old one. */
  join(sink: Handle, freshMs: number, patienceMs: number): void;
  pause(sink: Handle): void;
  /** Goes over to another layer with a keyframe of it: one of at most `freshMs`, the next, or the old one after `patienceMs`. */
  moveSink(sink: Handle, track: Handle, freshMs: number, patienceMs: number): void;
  closeSink(sink: Handle): void;
  /** Copies the newest statistics as far as they fit; gives how many numbers there are. */
  snapshot(target: Float64Array): number;
  /** The clock of the times in snapshots. */
  now(): number;
  /** Ends the thread. Later calls do nothing. */
  close(): void;
}

/** What the add-on exports. */
export interface NativeAddon {
  readonly Datapath: new (onEvents: (events: NativeEvent[]) => void) => NativeBinding;
  /** Measures which SRTP profile this processor does faster, for some milliseconds: a number of `srtpProfiles`. */
  fasterProfile(): number;
  /** Returns free memory to the system. Takes about a millisecond. */
  trimMemory(): void;
}

/** Where `scripts/prepare.mjs` and the image put it. */
export const addonPath = fileURLToPath(new URL('./build/datapath.node', import.meta.url));

/** Every call of a binding; the compiler keeps the list complete. */
const callsOfBinding: Readonly<Record<keyof NativeBinding, true>> = {
  addSocket: true,
  closeSocket: true,
  openSession: true,
  setIce: true,
  addCandidate: true,
  startDtls: true,
  fingerprint: true,
  closeSession: true,
  openTrack: true,
  beginSource: true,
  setParameterSet: true,
  closeTrack: true,
  openSource: true,
  requestKeyframe: true,
  nameLayer: true,
  closeSource: true,
  openSink: true,
  join: true,
  pause: true,
  moveSink: true,
  closeSink: true,
  snapshot: true,
  now: true,
  close: true,
};

/** The add-on, or why there is none. */
export function loadNative(path = addonPath): { addon: NativeAddon } | { reason: string } {
  if (!existsSync(path)) return { reason: 'it was not built: that needs a C++ compiler (g++)' };
  try {
    const addon = createRequire(import.meta.url)(path) as NativeAddon;
    const missing = callsMissingIn(addon);
    if (missing.length === 0) return { addon };
    return {
      reason: `it is of another version than this program (it lacks ${missing.join(', ')}): build it again`,
    };
  } catch (error) {
    return { reason: describeError(error) };
  }
}

/** What a file built from other sources lacks: a missing call would end the process with each start. */
function callsMissingIn(addon: Partial<NativeAddon>): string[] {
  const calls: object = addon.Datapath?.prototype ?? {};
  return [
    ...(['Datapath', 'fasterProfile', 'trimMemory'] as const).filter((name) => !(name in addon)),
    ...Object.keys(callsOfBinding).filter((name) => !(name in calls)),
  ];
}
