import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type RawData, WebSocket } from 'ws';
import type { z } from 'zod';
import { parseJsonText } from '../../common/json-text.ts';
import { type AdoptUp, adoptDownSchema, type ConfirmReason, routes } from '../contract/index.ts';
import {
  adoptionCode,
  answersPing,
  commitmentOf,
  fingerprintToPin,
  pinTls,
  serverCertificate,
} from '../discovery/index.ts';
import type { HubCandidate } from './hub-locator.ts';
import { HubAnsweredError, problemCode, TlsRequiredError } from './hub-refusal.ts';
import { reachHub } from './reach-hub.ts';

const challengeWithinMs = 10_000;
const watchEveryMs = 15_000;

/** What a camera received when it was adopted, and keeps. */
export interface Adoption {
  readonly hubId: string;
  readonly hubName: string;
  /** SHA-256 of the hub's certificate, the only one accepted from now on; null without TLS. */
  readonly fingerprint: string | null;
  readonly token: string;
}

/** A code for the owner to compare, and the hub that shows the same. */
export interface CodeOfHub {
  readonly code: string;
  readonly hubName: string;
  /** Reports to the hub whether the owner has to confirm on this camera first; a hub of release 0.1 is not asked to wait. */
  readonly sayConfirm: (reason: ConfirmReason | null) => void;
}

/** What an adoption needs of its caller. */
export interface AdoptionRequestOptions {
  readonly camera: { readonly id: string; readonly name: string; readonly version: string };
  /** Gets the code to show; null when there is no code to show any more. */
  readonly onCode: (code: CodeOfHub | null) => void;
  /** Called once the hub has given the key: whether this camera takes it. May wait until the owner confirms, or the abort. */
  readonly mayTake?: () => Promise<boolean>;
}

/**
 * Asks a hub for adoption and waits for the owner's tap. Resolves with null if the hub went away first. Rejects if the hub
 * cannot be reached.
 */
export async function requestAdoption(
  hub: HubCandidate,
  { camera, onCode, mayTake }: AdoptionRequestOptions,
  signal: AbortSignal,
): Promise<Adoption | null> {
  const { socket, fingerprint, certificate } = await dial(hub, signal);
  const nonce = randomBytes(32).toString('hex');
  const end = Promise.withResolvers<Adoption | null>();
  let known: { hubId: string; hubName: string } | null = null;
  const stop = () => end.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  // It may have been aborted while the hub was looked for.
  if (signal.aborted) stop();
  socket.on('open', () => send(socket, { type: 'hello', ...camera, commitment: commitmentOf(nonce) }));
  socket.on('unexpected-response', (_request, response) => {
    void refusalOf(response).then((error) => {
      end.reject(error);
      socket.terminate();
    });
  });
  socket.on('error', (error) => end.reject(error));
  socket.on('close', () => end.resolve(null));
  // A hub that was unplugged closes nothing; one that never asks for the nonce is not a hub.
  const late = setTimeout(stop, challengeWithinMs);
  const watch = setInterval(() => {
    if (known === null) return;
    void answersPing(socket).then((alive) => alive || stop());
  }, watchEveryMs);
  socket.on('message', (data) => {
    const message = parse(data);
    if (message?.type === 'challenge' && known === null) {
      known = { hubId: message.hubId, hubName: message.hubName };
      clearTimeout(late);
      send(socket, { type: 'reveal', nonce });
      const code = adoptionCode({
        fingerprint: certificate,
        cameraId: camera.id,
        cameraNonce: nonce,
        hubNonce: message.nonce,
      });
      const { hubName, hearsConfirm } = message;
      const sayConfirm = (reason: ConfirmReason | null) => {
        if (hearsConfirm && socket.readyState === socket.OPEN) send(socket, { type: 'confirm', reason });
      };
      onCode({ code, hubName, sayConfirm });
    } else if (message?.type === 'adopted' && known !== null) {
      end.resolve({ ...known, fingerprint, token: message.token });
    } else {
      end.resolve(null);
    }
  });
  try {
    const adoption = await end.promise;
    if (adoption === null || mayTake === undefined) return adoption;
    return (await mayTake()) ? adoption : null;
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(late);
    clearInterval(watch);
    onCode(null);
    socket.on('error', () => {}); // already decided; how the socket ends does not matter
    socket.terminate();
  }
}

/** A connection to a hub that is not trusted yet. */
interface Dialled {
  readonly socket: WebSocket;
  /** Of the certificate to accept from now on; null without TLS, and for one that an authority vouches for. */
  readonly fingerprint: string | null;
  /** Of the certificate that the hub's code covers, whether it is pinned or not. */
  readonly certificate: string | null;
}

async function dial(hub: HubCandidate, signal: AbortSignal): Promise<Dialled> {
  const url = new URL(routes.adoptLink.path, `${await baseOf(hub, signal)}/`);
  const secure = url.protocol === 'https:';
  const announced = secure ? hub.tlsFingerprint : null;
  const shown = secure && announced === null ? await serverCertificate(url, signal) : null;
  const fingerprint = announced ?? (shown === null ? null : fingerprintToPin(shown));
  const tls = fingerprint === null ? {} : await pinTls(url, fingerprint, signal);
  url.protocol = secure ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, { handshakeTimeout: 5000, maxPayload: 4096, ...tls });
  return { socket, fingerprint, certificate: fingerprint ?? shown?.fingerprint ?? null };
}

async function refusalOf(response: IncomingMessage): Promise<Error> {
  const { statusCode } = response;
  const code = await problemCode(response);
  return code === 'TLS_REQUIRED'
    ? new TlsRequiredError()
    : new HubAnsweredError(`the hub answered ${statusCode}`);
}

/** The address at which the hub answers, of all its addresses. */
async function baseOf(hub: HubCandidate, signal: AbortSignal): Promise<string> {
  if (hub.otherUrls.length === 0) return hub.url;
  const pin = hub.url.startsWith('https:') ? hub.tlsFingerprint : null;
  return (await reachHub(hub, { pin, hasKey: false }, signal)).url;
}

function send(socket: WebSocket, message: AdoptUp): void {
  socket.send(JSON.stringify(message));
}

function parse(data: RawData): z.output<typeof adoptDownSchema> | null {
  try {
    const result = adoptDownSchema.safeParse(parseJsonText(data.toString()));
    return result.success ? result.data : null;
  } catch {
    // Not JSON: not one of our hubs.
    return null;
  }
}
