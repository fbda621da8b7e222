import type { Handle, NativeBinding } from './native-binding.ts';

/** A source of a feed's packets, as the native datapath opens it. What is absent does not exist there. */
export interface NativeSource {
  /** The session that it arrives in; absent: a port of its own, which is bound afterwards. */
  readonly session?: Handle;
  readonly video: Handle;
  readonly audio?: Handle | undefined;
  /** Payload types as the session negotiated them. */
  readonly payloadTypes?: {
    readonly video: number;
    readonly audio: number | undefined;
    readonly repair: number | undefined;
  };
  /** What its publisher may send. */
  readonly bitsPerSecond?: number;
  /** Its timestamps are wall-clock time of capture. */
  readonly tellsCaptureTime?: boolean;
  /** Its publisher accepts RTCP without the usual first report (RFC 5506). */
  readonly reducedSize?: boolean;
  /** The header extension that distinguishes picture and sound, and the names in it. */
  readonly sections?:
    | { readonly midExtension: number; readonly videoMid: string; readonly audioMid: string | null }
    | undefined;
  /** It is one of several layers that the publisher sends at once; `nameLayer` follows. */
  readonly isLayer?: boolean;
  /** The header extension that numbers all packets of the connection. */
  readonly transportExtension?: number | undefined;
}

/** The one place that knows the order of the add-on's arguments. */
export function openNativeSource(calls: NativeBinding, handle: Handle, source: NativeSource): void {
  const { payloadTypes, sections } = source;
  calls.openSource(
    handle,
    source.session ?? 0,
    source.video,
    source.audio ?? 0,
    payloadTypes?.video ?? -1,
    payloadTypes?.audio ?? -1,
    payloadTypes?.repair ?? -1,
    source.bitsPerSecond ?? 0,
    source.tellsCaptureTime ?? false,
    source.reducedSize ?? false,
    sections?.midExtension ?? -1,
    sections?.videoMid ?? '',
    sections?.audioMid ?? '',
    source.isLayer ?? false,
    source.transportExtension ?? -1,
  );
}
