import type { IncomingMessage } from 'node:http';
import { RushlightError } from '../../common/errors.ts';
import { parseJsonText } from '../../common/json-text.ts';
import { problemSchema } from '../contract/index.ts';

/** The message for a hub that wants HTTPS. */
export const needsTls =
  'The hub takes keys by HTTPS only. Set camera.hub to the address of the hub that starts with https://, or to "auto".';

const maxProblemBytes = 16 * 1024;

/** The code of a problem document; null if there is none. Never rejects. */
export async function problemCode(response: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxProblemBytes) return null;
      parts.push(part);
    }
    const problem = problemSchema.safeParse(parseJsonText(Buffer.concat(parts).toString('utf8')));
    return problem.success ? problem.data.code : null;
  } catch {
    // Cut off, or not JSON: the status says enough.
    return null;
  }
}

/** The hub did not open the link for adoption. */
export class HubAnsweredError extends RushlightError {
  readonly code = 'HUB_ANSWERED';
}

/** The hub hands out no key over this address. */
export class TlsRequiredError extends RushlightError {
  readonly code = 'HUB_NEEDS_TLS';

  constructor() {
    super(needsTls);
  }
}
