import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { RushlightError } from '../../common/errors.ts';
import { parseJsonText } from '../../common/json-text.ts';
import { LogLimiter } from '../../common/log-limiter.ts';
import {
  type AdoptDown,
  type AdoptUp,
  adoptUpSchema,
  type ConfirmReason,
  linkClose,
  type NewCamera,
} from '../contract/index.ts';
import { adoptionCode, answersPing, commitmentOf } from '../discovery/index.ts';
import { type Applicant, WaitingRoom } from './adoption-places.ts';

/** An adoption that the hub cannot carry out. */
export class AdoptionError extends RushlightError {
  readonly code: 'CAMERA_UNKNOWN' | 'CODE_WRONG' | 'CAMERA_UNDECIDED';

  constructor(code: AdoptionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** What the hub provides for adoptions. */
export interface AdoptionDeskOptions {
  readonly hub: { readonly id: string; readonly name: string };
  /** SHA-256 of this hub's certificate; null without TLS. */
  readonly fingerprint: () => string | null;
  /** Makes the camera's key and returns its token. */
  readonly issueKey: (cameraId: string) => Promise<string>;
  /** Whether a camera with this id that has its key is linked now. */
  readonly isLinked?: (cameraId: string) => boolean;
  readonly onChange: () => void;
  readonly log: Logger;
}

type Hello = Extract<AdoptUp, { type: 'hello' }>;

const withinMs = 10_000;
/** A camera asks again by itself; a connection that is useless loses its place. */
const maxWaitMs = 30 * 60_000;
/** Strangers come and go as fast as they like; the list is reported a few times a second at most. */
const tellEveryMs = 250;

/**
 * Where cameras without a key wait for the owner's tap. Anyone may connect here, so what each connection may hold is bounded.
 */
export class AdoptionDesk {
  readonly #options: AdoptionDeskOptions;
  readonly #room = new WaitingRoom();
  readonly #limiter: LogLimiter;
  /** Adoptions that are being carried out, by camera and code. */
  readonly #adopting = new Map<string, Promise<NewCamera>>();
  #telling: NodeJS.Timeout | null = null;

  constructor(options: AdoptionDeskOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter({ logger: options.log });
  }

  list(): readonly NewCamera[] {
    return this.#room.list().map(({ camera }) => camera);
  }

  /** Takes over the socket of a camera that asks to be adopted. */
  accept(socket: WebSocket, address: string): void {
    const leaveDoor = this.#room.enter(address);
    if (leaveDoor === null) {
      this.#refuse(socket, address, linkClose.tooMuch, 'too many ask from this address at once');
      return;
    }
    const hubNonce = randomBytes(32).toString('hex');
    let hello: Hello | null = null;
    let revealed = false;
    const asks: { confirm: ConfirmReason | null } = { confirm: null };
    const late = setTimeout(() => socket.close(linkClose.helloLate, 'not introduced in time'), withinMs);
    const tooLong = setTimeout(
      () => socket.close(linkClose.helloLate, 'waited for long: ask again'),
      maxWaitMs,
    );
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'an adoption broke off'));
    socket.on('close', () => {
      clearTimeout(late);
      clearTimeout(tooLong);
      leaveDoor();
      if (this.#room.leave(socket)) this.#changed();
    });
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? null : parse(data);
      if (message?.type === 'hello' && hello === null) {
        hello = message;
        const { id: hubId, name: hubName } = this.#options.hub;
        send(socket, { type: 'challenge', hubId, hubName, nonce: hubNonce, hearsConfirm: true });
      } else if (
        message?.type === 'reveal' &&
        hello !== null &&
        !revealed &&
        commitmentOf(message.nonce) === hello.commitment
      ) {
        revealed = true;
        clearTimeout(late);
        leaveDoor();
        void this.#introduce(hello, message.nonce, hubNonce, socket, address, asks);
      } else if (message?.type === 'confirm' && revealed) {
        asks.confirm = message.reason;
        if (this.#room.setConfirm(socket, message.reason)) this.#changed();
      } else {
        socket.close(linkClose.notUnderstood, 'not a message of an adoption');
      }
    });
  }

  /**
   * Gives a waiting camera its key. Rejects with CAMERA_UNKNOWN, CODE_WRONG or CAMERA_UNDECIDED. A second tap gets the answer of
   * the first: a second key would revoke the one that the camera was just given.
   */
  adopt(cameraId: string, code: string): Promise<NewCamera> {
    const name = `${cameraId} ${code}`;
    const adoption =
      this.#adopting.get(name) ?? this.#adopt(cameraId, code).finally(() => this.#adopting.delete(name));
    this.#adopting.set(name, adoption);
    return adoption;
  }

  async #adopt(cameraId: string, code: string): Promise<NewCamera> {
    const applicants = this.#room.list().filter(({ camera }) => camera.id === cameraId);
    if (applicants.length === 0) {
      throw new AdoptionError('CAMERA_UNKNOWN', `No camera "${cameraId}" waits to be adopted.`);
    }
    // Several may claim to be this camera: the code says which one the owner means.
    const applicant = applicants.find(({ camera }) => camera.code === code);
    if (applicant === undefined) {
      throw new AdoptionError(
        'CODE_WRONG',
        'The camera shows another code. Somebody may be in between: look again.',
      );
    }
    if (applicant.camera.confirm !== undefined) {
      throw new AdoptionError(
        'CAMERA_UNDECIDED',
        'The camera does not accept a key yet. Open its own page, and confirm there that this is its hub.',
      );
    }
    const token = await this.#options.issueKey(cameraId);
    if (applicant.socket.readyState !== applicant.socket.OPEN) {
      // The key reached no one; the next adoption takes its place.
      throw new AdoptionError(
        'CAMERA_UNKNOWN',
        'The camera hung up before it got its key. It asks again automatically: adopt it then.',
      );
    }
    for (const one of applicants) this.#room.leave(one.socket);
    send(applicant.socket, { type: 'adopted', token });
    applicant.socket.close(1000, 'adopted');
    for (const { socket } of applicants)
      socket.close(linkClose.takenOver, 'another one of this id was adopted');
    this.#options.log.info({ camera: applicant.camera.name, id: cameraId }, 'adopted a camera');
    this.#options.onChange();
    return applicant.camera;
  }

  close(): void {
    for (const { socket } of this.#room.list()) {
      this.#room.leave(socket);
      socket.close(1001, 'the hub stops');
    }
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#telling = null;
    this.#limiter[Symbol.dispose]();
  }

  /** Never rejects. */
  async #introduce(
    { id, name, version }: Hello,
    cameraNonce: string,
    hubNonce: string,
    socket: WebSocket,
    address: string,
    asks: { readonly confirm: ConfirmReason | null },
  ): Promise<void> {
    const same = this.#room.list().find(({ camera }) => camera.id === id && camera.address === address);
    // It may be the same camera whose cable was pulled: a connection that no longer answers holds no place.
    if (same !== undefined && !(await answersPing(same.socket))) {
      this.#room.leave(same.socket);
      same.socket.terminate();
    }
    if (socket.readyState !== socket.OPEN) return;
    if (this.#options.isLinked?.(id) === true) {
      this.#refuse(socket, address, linkClose.takenOver, 'a camera with this id is linked to this hub');
      return;
    }
    const fingerprint = this.#options.fingerprint();
    const code = adoptionCode({ fingerprint, cameraId: id, cameraNonce, hubNonce });
    const since = new Date().toISOString();
    const applicant: Applicant = { socket, camera: { id, name, version, address, code, since } };
    const place = this.#room.take(applicant);
    this.#room.setConfirm(socket, asks.confirm);
    if ('refusal' in place) {
      this.#refuse(socket, address, linkClose.tooMuch, place.refusal);
      return;
    }
    place.displaced?.socket.close(linkClose.tooMuch, 'others ask as well: ask again');
    this.#limiter.log('info', 'asks', { camera: name, address }, 'a new camera asks to be adopted');
    this.#changed();
  }

  #refuse(socket: WebSocket, address: string, code: number, reason: string): void {
    this.#limiter.log('info', 'refused', { address, reason }, 'a camera may not ask to be adopted now');
    socket.close(code, reason);
  }

  #changed(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = null;
      this.#options.onChange();
    }, tellEveryMs);
  }
}

function send(socket: WebSocket, message: AdoptDown): void {
  socket.send(JSON.stringify(message));
}

function parse(data: RawData): AdoptUp | null {
  try {
    const result = adoptUpSchema.safeParse(parseJsonText(data.toString()));
    return result.success ? result.data : null;
  } catch {
    // Not JSON: the caller closes the socket and says so.
    return null;
  }
}
