import { EventEmitter } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Logger } from 'pino';
import type {
  CloseReason,
  IceCandidate,
  IceCredentials,
  MediaTransport,
  RemoteDescription,
  TransportEvents,
  TransportState,
} from '../datapath.ts';
import { CONNECT_TIMEOUT_MS } from '../datapath-options.ts';
import { createIceCredentials } from '../ice/ice-credentials.ts';
import { localAddresses } from '../local-addresses.ts';
import type { SrtpProfile } from '../srtp/srtp-keys.ts';
import { type Handle, type NativeEvent, NativeEventType, SocketUse, srtpProfiles } from './native-binding.ts';
import type { NativeCore } from './native-core.ts';

/** What a transport needs. */
export interface NativeTransportOptions {
  readonly core: NativeCore;
  readonly mode: 'lite' | 'controlling';
  /** Where the shared port listens. */
  readonly sharedCandidates: () => readonly IceCandidate[];
  /** Preferred where the peer leaves the choice to us. */
  readonly profile: SrtpProfile;
  readonly logger: Logger;
  /** The peer counts as gone after this silence, or a longer one if it is usually quiet. */
  readonly silenceMs: number;
  readonly onClosed: (transport: NativeTransport) => void;
}

type RemoteIce = IceCredentials & { readonly candidates: readonly IceCandidate[] };

/** A session's transport whose packets stay in the native datapath. Here are its states. */
export class NativeTransport implements MediaTransport {
  readonly events = new EventEmitter<TransportEvents>();
  readonly handle: Handle;
  readonly #options: NativeTransportOptions;
  readonly #openedMs = performance.now();
  /** Of a controlling agent, whose own sockets keep several sessions to the same hub apart. */
  readonly #sockets: Handle[] = [];
  readonly #ownPorts = { four: 0, six: 0 };
  #local = createIceCredentials();
  #state: TransportState = 'new';

  constructor(options: NativeTransportOptions) {
    this.#options = options;
    const { core, mode, silenceMs } = options;
    this.handle = core.take((event) => this.#receive(event));
    core.calls.openSession(this.handle, mode === 'controlling', silenceMs);
    if (mode === 'controlling') this.#openSockets();
  }

  get state(): TransportState {
    return this.#state;
  }

  get local(): IceCredentials {
    return this.#local;
  }

  get candidates(): readonly IceCandidate[] {
    const { mode, sharedCandidates } = this.#options;
    if (mode === 'lite') return sharedCandidates();
    const { four, six } = this.#ownPorts;
    return localAddresses()
      .map((address) => ({ address, port: isIPv6(address) ? six : four }))
      .filter(({ port }) => port > 0);
  }

  get lastHeardMs(): number | null {
    return this.#options.core.statistics.session(this.handle)?.lastHeardMs ?? null;
  }

  get quiet(): boolean {
    return this.#options.core.statistics.session(this.handle)?.quiet ?? false;
  }

  connect(remote: RemoteDescription): void {
    if (this.#state !== 'new') return;
    const { core, profile } = this.#options;
    this.#setState('connecting', null);
    const fingerprints = remote.fingerprints
      .map(({ algorithm, value }) => `${algorithm} ${value}`)
      .join('\n');
    core.calls.startDtls(
      this.handle,
      remote.dtlsRole === 'client',
      srtpProfiles.indexOf(profile),
      fingerprints,
    );
    this.#setIce(remote);
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#options.core.calls.addCandidate(this.handle, candidate.address, candidate.port);
  }

  /** A controlling side of ours never restarts: it opens a new session, which is as fast and has fewer states. */
  restartIce(remote: RemoteIce): void {
    if (this.#options.mode === 'controlling') return;
    this.#local = createIceCredentials();
    this.#setIce(remote);
  }

  /** Called a few times a second: notices peers that never came or went away. */
  tick(nowMs: number): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'connected' && nowMs - this.#openedMs > CONNECT_TIMEOUT_MS) {
      this.close('connect-timeout');
    } else if (this.#options.core.statistics.session(this.handle)?.gone) {
      this.close('silent');
    }
  }

  close(reason: CloseReason = 'closed'): void {
    if (this.#state === 'closed') return;
    const { core, onClosed } = this.#options;
    core.calls.closeSession(this.handle);
    core.release(this.handle);
    for (const handle of this.#sockets) {
      core.calls.closeSocket(handle);
      core.release(handle);
    }
    this.#setState('closed', reason);
    this.events.removeAllListeners();
    onClosed(this);
  }

  /** One for each family. Their source address is the system's to choose, so that it may change. */
  #openSockets(): void {
    const { core, logger } = this.#options;
    for (const address of ['0.0.0.0', '::']) {
      const handle = core.take();
      const port = core.calls.addSocket(handle, address, 0, SocketUse.OWN, this.handle, 0);
      if (port > 0) {
        this.#sockets.push(handle);
        this.#ownPorts[address === '::' ? 'six' : 'four'] = port;
        continue;
      }
      core.release(handle);
      logger.debug({ address, errno: -port }, 'this family cannot be used for publishing');
    }
  }

  #setIce(remote: RemoteIce): void {
    const { calls } = this.#options.core;
    calls.setIce(this.handle, this.#local.ufrag, this.#local.pwd, remote.ufrag, remote.pwd);
    for (const candidate of remote.candidates) this.addRemoteCandidate(candidate);
  }

  #receive([type, , bytes]: NativeEvent): void {
    switch (type) {
      case NativeEventType.CONNECTED:
        this.#setState('connected', null);
        break;
      case NativeEventType.DTLS_FAILED:
        this.#options.logger.warn({ reason: bytes.toString() }, 'DTLS failed');
        this.close('dtls-failed');
        break;
      case NativeEventType.PEER_LEFT:
        this.close('remote-closed');
        break;
      default:
        break;
    }
  }

  #setState(state: TransportState, reason: CloseReason | null): void {
    this.#state = state;
    this.events.emit('state', state, reason);
  }
}
