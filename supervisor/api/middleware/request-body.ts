import type { Context } from 'koa';
import getRawBody from 'raw-body';
import { describeError } from '../../../common/errors.ts';
import { parseJsonText } from '../../../common/json-text.ts';
import type { RawBody } from '../../contract/index.ts';
import { ApiError } from '../api-error.ts';

const maxJsonBytes = 1024 * 1024;
/** Our bodies are small: one that takes longer only occupies a place. */
const bodyWithinMs = 30_000;

/** The whole body as text. Rejects with MEDIA_TYPE_UNSUPPORTED, BODY_TOO_LARGE or BODY_ABORTED. */
export async function textBody(ctx: Context, expected: RawBody): Promise<string> {
  requireType(ctx, expected.contentType);
  return await read(ctx, expected.maxBytes ?? maxJsonBytes);
}

/** The body as JSON; undefined if there is none. Rejects with REQUEST_INVALID besides the errors of textBody. */
export async function jsonBody(ctx: Context): Promise<unknown> {
  const text = await read(ctx, maxJsonBytes);
  if (text.trim() === '') return undefined;
  requireType(ctx, 'application/json', 'application/merge-patch+json');
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw new ApiError('REQUEST_INVALID', `The body cannot be used: ${describeError(cause)}`, { cause });
  }
}

function requireType(ctx: Context, ...types: string[]): void {
  const sent = (ctx.get('Content-Type').split(';')[0] ?? '').trim().toLowerCase();
  if (!types.includes(sent)) {
    throw new ApiError(
      'MEDIA_TYPE_UNSUPPORTED',
      `The body must be ${types[0]}, not ${sent === '' ? 'without a Content-Type' : sent}.`,
    );
  }
}

async function read(ctx: Context, maxBytes: number): Promise<string> {
  const late = setTimeout(() => ctx.req.destroy(), bodyWithinMs);
  try {
    const length = ctx.req.headers['content-length'];
    return await getRawBody(ctx.req, { length: length ?? null, limit: maxBytes, encoding: 'utf8' });
  } catch (cause) {
    const type = cause instanceof Error && 'type' in cause ? cause.type : '';
    if (type === 'entity.too.large') {
      throw new ApiError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, { cause });
    }
    throw new ApiError('BODY_ABORTED', 'The body did not arrive whole.', { cause });
  } finally {
    clearTimeout(late);
  }
}
