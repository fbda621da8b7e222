import type { Socket } from 'node:dgram';
import type { IceCandidate, IceCredentials } from '../datapath.ts';
import type { NetworkPath } from '../network-path.ts';
import type { MuxSession, UdpMux } from '../node/udp-mux.ts';
import { createIceCredentials } from './ice-credentials.ts';
import type { IceEndpoint, IceHandlers, RemoteIce } from './ice-endpoint.ts';
import { answerCheck } from './ice-responder.ts';
import { isStun } from './stun.ts';

const MAX_PATHS = 16;

type Accepted = IceCredentials & { readonly remoteUfrag: string };

/** ICE-lite on the shared port (RFC 8445, sections 2.5 and 8.2): waits for checks, answers, follows the nomination. */
export class IceLite implements IceEndpoint, MuxSession {
  readonly #mux: UdpMux;
  #paths: NetworkPath[] = [];
  /** The credentials in use first; after them, during a restart, those it waits for. */
  #accepted: Accepted[] = [];
  #local = createIceCredentials();
  #selected: NetworkPath | null = null;
  #handlers: IceHandlers | null = null;

  constructor(mux: UdpMux) {
    this.#mux = mux;
  }

  get local(): IceCredentials {
    return this.#local;
  }

  get candidates(): readonly IceCandidate[] {
    return this.#mux.bound;
  }

  get selected(): NetworkPath | null {
    return this.#selected;
  }

  connect(remote: RemoteIce, handlers: IceHandlers): void {
    this.#handlers = handlers;
    this.#accepted = [{ ...this.#local, remoteUfrag: remote.ufrag }];
    this.#mux.register(this.#local.ufrag, this);
  }

  addRemoteCandidate(): void {
    // A lite agent never checks: it learns the peer's addresses from the peer's own checks.
  }

  restart(remote: RemoteIce): void {
    // A restart before the last one was taken up replaces that one, never the session's present credentials.
    for (const stale of this.#accepted.slice(1)) this.#mux.unregister(stale.ufrag);
    this.#local = createIceCredentials();
    this.#accepted = [...this.#accepted.slice(0, 1), { ...this.#local, remoteUfrag: remote.ufrag }];
    this.#mux.register(this.#local.ufrag, this);
  }

  receive(datagram: Buffer, path: NetworkPath): void {
    if (!isStun(datagram)) {
      this.#handlers?.onDatagram(datagram, path);
      return;
    }
    if (!this.#mux.mayBind(path, this)) return;
    const check = answerCheck(datagram, path, this.#accepted, 'controlled');
    if (check === null) return;
    this.#remember(path);
    this.#handlers?.onAlive();
    const restarted = check.credentials.ufrag === this.#local.ufrag && this.#accepted.length > 1;
    if (restarted) this.#forgetOldCredentials();
    const first = this.#selected === null;
    if (first || check.nominated || restarted) this.#selected = path;
    if (first) this.#handlers?.onSelected();
  }

  /** The peer is searched again: whatever it checks next is the path, even without a nomination. */
  socketClosed(socket: Socket): void {
    this.#paths = this.#paths.filter((path) => path.socket !== socket);
    if (this.#selected?.socket === socket) this.#selected = null;
  }

  /** The peer's nomination decides where it is, not where media happens to arrive; but there nobody else is. */
  heardOn(path: NetworkPath): void {
    this.#mux.provePath(path, this);
  }

  close(): void {
    for (const credentials of this.#accepted) this.#mux.unregister(credentials.ufrag);
    for (const path of this.#paths) this.#mux.unbindPath(path, this);
    this.#accepted = [];
    this.#paths = [];
    this.#selected = null;
    this.#handlers = null;
  }

  #remember(path: NetworkPath): void {
    if (!this.#paths.includes(path)) {
      this.#paths.push(path);
      if (this.#paths.length > MAX_PATHS) {
        const oldest = this.#paths.find((known) => known !== this.#selected);
        if (oldest !== undefined) {
          this.#paths.splice(this.#paths.indexOf(oldest), 1);
          this.#mux.unbindPath(oldest, this);
        }
      }
    }
    this.#mux.bindPath(path, this);
  }

  #forgetOldCredentials(): void {
    for (const stale of this.#accepted.slice(0, -1)) this.#mux.unregister(stale.ufrag);
    this.#accepted = this.#accepted.slice(-1);
  }
}
