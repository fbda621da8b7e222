import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { RushlightError } from '../../common/errors.ts';
import { parseJsonText } from '../../common/json-text.ts';
import { type AdoptDown, type AdoptUp, adoptUpSchema, linkClose, type NewCamera } from '../contract/index.ts';
import { adoptionCode, commitmentOf } from '../discovery/adoption-code.ts';

export class AdoptionError extends RushlightError {
  readonly code: 'CAMERA_UNKNOWN' | 'CODE_WRONG';

  constructor(code: AdoptionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface AdoptionDeskOptions {
  readonly hub: { readonly id: string; readonly name: string };
  /** SHA-256 of this hub's certificate; null without TLS. */
  readonly fingerprint: () => string | null;
  /** Makes the camera's key and returns its token. */
  readonly issueKey: (cameraId: string) => Promise<string>;
  readonly onChange: () => void;
  readonly log: Logger;
}

interface Applicant {
  readonly camera: NewCamera;
  readonly socket: WebSocket;
}

const withinMs = 10_000;
const maxApplicants = 32;

/** Where cameras without a key wait for the owner's tap. */
export class AdoptionDesk {
  readonly #options: AdoptionDeskOptions;
  readonly #waiting = new Map<string, Applicant>();

  constructor(options: AdoptionDeskOptions) {
    this.#options = options;
  }

  list(): readonly NewCamera[] {
    return [...this.#waiting.values()].map(({ camera }) => camera);
  }

  /** Takes over the socket of a camera that asks to be adopted. */
  accept(socket: WebSocket, address: string): void {
    const hubNonce = randomBytes(32).toString('hex');
    let hello: Extract<AdoptUp, { type: 'hello' }> | null = null;
    const late = setTimeout(() => socket.close(linkClose.helloLate, 'not introduced in time'), withinMs);
    socket.on('error', (error) => this.#options.log.debug({ err: error }, 'an adoption broke off'));
    socket.on('close', () => {
      clearTimeout(late);
      if (hello !== null) this.#left(hello.id, socket);
    });
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? null : parse(data);
      if (message?.type === 'hello' && hello === null) {
        hello = message;
        const { id: hubId, name: hubName } = this.#options.hub;
        send(socket, { type: 'challenge', hubId, hubName, nonce: hubNonce });
      } else if (
        message?.type === 'reveal' &&
        hello !== null &&
        commitmentOf(message.nonce) === hello.commitment
      ) {
        clearTimeout(late);
        this.#introduce(hello, message.nonce, hubNonce, socket, address);
      } else {
        socket.close(linkClose.notUnderstood, 'not a message of an adoption');
      }
    });
  }

  /** Gives a waiting camera its key. Rejects with CAMERA_UNKNOWN or CODE_WRONG. */
  async adopt(cameraId: string, code: string): Promise<NewCamera> {
    const applicant = this.#waiting.get(cameraId);
    if (applicant === undefined) {
      throw new AdoptionError('CAMERA_UNKNOWN', `No camera "${cameraId}" waits to be adopted.`);
    }
    if (applicant.camera.code !== code) {
      throw new AdoptionError(
        'CODE_WRONG',
        'The camera shows another code. Somebody may be in between: look again.',
      );
    }
    const token = await this.#options.issueKey(cameraId);
    this.#waiting.delete(cameraId);
    send(applicant.socket, { type: 'adopted', token });
    applicant.socket.close(1000, 'adopted');
    this.#options.log.info({ camera: applicant.camera.name, id: cameraId }, 'adopted a camera');
    this.#options.onChange();
    return applicant.camera;
  }

  close(): void {
    for (const { socket } of this.#waiting.values()) socket.close(1001, 'the hub stops');
    this.#waiting.clear();
  }

  #introduce(
    { id, name, version }: Extract<AdoptUp, { type: 'hello' }>,
    cameraNonce: string,
    hubNonce: string,
    socket: WebSocket,
    address: string,
  ): void {
    const before = this.#waiting.get(id);
    if (before === undefined && this.#waiting.size >= maxApplicants) {
      socket.close(linkClose.notUnderstood, 'too many cameras wait');
      return;
    }
    before?.socket.close(linkClose.takenOver, 'this camera asks anew');
    const code = adoptionCode({
      fingerprint: this.#options.fingerprint(),
      cameraId: id,
      cameraNonce,
      hubNonce,
    });
    const since = before?.camera.since ?? new Date().toISOString();
    this.#waiting.set(id, { socket, camera: { id, name, version, address, code, since } });
    this.#options.log.info({ camera: name, address }, 'a new camera asks to be adopted');
    this.#options.onChange();
  }

  #left(id: string, socket: WebSocket): void {
    if (this.#waiting.get(id)?.socket !== socket) return;
    this.#waiting.delete(id);
    this.#options.onChange();
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
