import type { IceCandidate, IceCredentials } from '../datapath.ts';
import type { NetworkPath } from '../network-path.ts';

/** Called by an agent. */
export interface IceHandlers {
  /** A working path was found: the first one, or another after the last was lost. */
  readonly onSelected: () => void;
  /** An authenticated check or answer arrived. */
  readonly onAlive: () => void;
  /** DTLS, SRTP or SRTCP from a path that passed a check. */
  readonly onDatagram: (datagram: Buffer, path: NetworkPath) => void;
}

/** The peer's credentials and candidates. */
export type RemoteIce = IceCredentials & { readonly candidates: readonly IceCandidate[] };

/** The ICE agent of one session, as its transport sees it. */
export interface IceEndpoint {
  readonly local: IceCredentials;
  readonly candidates: readonly IceCandidate[];
  /** Where to send; null until a check succeeded, and again while this machine has lost the path's address. */
  readonly selected: NetworkPath | null;
  connect(remote: RemoteIce, handlers: IceHandlers): void;
  addRemoteCandidate(candidate: IceCandidate): void;
  restart(remote: RemoteIce): void;
  /** Authentic media came by this path. */
  heardOn(path: NetworkPath): void;
  close(): void;
}
