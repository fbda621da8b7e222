import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { describeError, hasErrorCode, RushlightError } from '../../../common/errors.ts';
import type { Problem } from '../../contract/index.ts';
import { headText } from './raw-headers.ts';

/** The backend took too long for an answer. */
export class UpstreamTimeoutError extends RushlightError {
  readonly code = 'UPSTREAM_TIMEOUT';
}

/** The backend's failure as a problem document: 504 if it took too long, otherwise 502. */
export function upstreamProblem(error: unknown, instance: string): Problem {
  const late = hasErrorCode(error, 'UPSTREAM_TIMEOUT', 'ETIMEDOUT');
  return {
    type: 'about:blank',
    title: late ? 'Gateway timeout' : 'Bad gateway',
    status: late ? 504 : 502,
    detail: `The backend behind this hub does not answer: ${describeError(error)}`,
    instance,
    code: late ? 'UPSTREAM_TIMEOUT' : 'UPSTREAM_UNREACHABLE',
    hint: 'The hub itself works. Look after the backend that gateway.upstream names.',
  };
}

/** Answers with a problem document. */
export function answerProblem(response: ServerResponse, problem: Problem): void {
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** The same on a connection that asked for an upgrade. */
export function refuseSocket(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problem);
  const headers = [
    ...['Content-Type', 'application/problem+json', 'Content-Length', String(Buffer.byteLength(body))],
    ...['Connection', 'close'],
  ];
  socket.end(headText(`HTTP/1.1 ${problem.status} ${problem.title}`, headers) + body);
}
