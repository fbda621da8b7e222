import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { errorCode } from '../../../common/errors.ts';
import { endToEnd, hasHeader, pairs, type RawHeaders, safeTrailers } from './raw-headers.ts';
import type { Upstream } from './upstream.ts';
import { answerProblem, upstreamProblem } from './upstream-error.ts';

/** Methods that usually have no body, and that do nothing more when they are repeated. */
const safeToRepeat = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

/**
 * Passes a request on unchanged, and the answer back: method, target, headers in their order and case, bodies as they stream
 * (each side no faster than the other reads), trailers, early hints.
 */
export async function forwardRequest(
  upstream: Upstream,
  incoming: IncomingMessage,
  response: ServerResponse,
  edit: (headers: RawHeaders) => RawHeaders,
): Promise<unknown> {
  const method = incoming.method ?? 'GET';
  const headers = [...withOneFraming(edit(endToEnd(incoming.rawHeaders)), incoming), ...framing(incoming)];
  if (incoming.headers.host === undefined) headers.push('Host', upstream.host);
  const hasBody =
    incoming.headers['transfer-encoding'] !== undefined || Number(incoming.headers['content-length']) > 0;
  const send = (outgoing: ClientRequest) => (hasBody ? pumpBody(incoming, outgoing) : outgoing.end());
  for (let attempt = 1; ; attempt += 1) {
    let outgoing: ClientRequest | undefined;
    const abandon = () => outgoing?.destroy();
    response.once('close', abandon);
    try {
      outgoing = upstream.open(method, incoming.url ?? '/', headers, attempt === 1);
      const answering = answerTo(outgoing, response);
      send(outgoing);
      await copyAnswer(await answering, response);
      return null;
    } catch (error) {
      // The other side may have closed a kept connection just as it was used again.
      const stale = attempt === 1 && outgoing?.reusedSocket === true && errorCode(error) === 'ECONNRESET';
      if (stale && !hasBody && safeToRepeat.has(method) && !response.headersSent) continue;
      if (response.destroyed) return null;
      if (response.headersSent) response.destroy();
      else answerProblem(response, upstreamProblem(error, incoming.url ?? '/'));
      return error;
    } finally {
      response.off('close', abandon);
    }
  }
}

/**
 * A chunked body stays chunked: with a length beside the chunks, one side would read by one and the other side by the other.
 */
function withOneFraming(headers: RawHeaders, incoming: IncomingMessage): string[] {
  if (incoming.headers['transfer-encoding'] === undefined) return [...headers];
  return pairs(headers)
    .filter(([name]) => name.toLowerCase() !== 'content-length')
    .flat();
}

/** The body's framing, which belongs to each connection; a length is a header like others and stays. */
function framing(incoming: IncomingMessage): string[] {
  if (incoming.headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked'];
  const bodiless = safeToRepeat.has(incoming.method ?? 'GET');
  return bodiless || hasHeader(incoming.rawHeaders, 'content-length') ? [] : ['Content-Length', '0'];
}

/**
 * Streams the body on. Not with stream.pipeline: if the backend fails, that would also destroy the client's connection, which
 * still has to carry the answer. What the backend no longer wants is read and dropped.
 */
function pumpBody(incoming: IncomingMessage, outgoing: ClientRequest): void {
  incoming.pipe(outgoing, { end: false });
  incoming.once('end', () => {
    const trailers = safeTrailers(incoming.rawTrailers);
    if (trailers.length > 0) outgoing.addTrailers(trailers.map(([...pair]) => pair));
    outgoing.end();
  });
  outgoing.once('close', () => {
    incoming.unpipe(outgoing);
    incoming.resume();
  });
}

function answerTo(outgoing: ClientRequest, response: ServerResponse): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('information', ({ statusCode, headers }) => {
      if (statusCode === 103 && typeof headers.link === 'string') passHints(response, headers.link);
    });
    outgoing.once('response', resolve);
    // After the answer has begun, its own stream reports failures.
    outgoing.on('error', reject);
  });
}

/** Node writes fewer forms of links than RFC 8288 allows, and throws for the others: a hint may be dropped. */
function passHints(response: ServerResponse, link: string): void {
  try {
    response.writeEarlyHints({ link });
  } catch (error) {
    if (errorCode(error) !== 'ERR_INVALID_ARG_VALUE') throw error;
  }
}

async function copyAnswer(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  const headers = endToEnd(answer.rawHeaders);
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  // The head alone matters to a client that waits for a stream's first event. Node would flush it as UTF-8, though fields are
  // Latin-1: a head with more than ASCII waits for the first byte of the body, which keeps it unchanged.
  if (headers.every((text) => /^[\x20-\x7e\t]*$/.test(text))) response.flushHeaders();
  await pipeline(answer, response, { end: false });
  const trailers = safeTrailers(answer.rawTrailers);
  if (trailers.length > 0) response.addTrailers(trailers.map(([...pair]) => pair));
  response.end();
}
