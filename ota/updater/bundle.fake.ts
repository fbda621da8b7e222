import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Comes before every bundle that is simulated in tests. */
const magic = 'RUSHLIGHT-FAKE-BUNDLE\n';
const digestBytes = 32;
/** RAUC streams in parts of about this size. */
const partBytes = 256 * 1024;

/** A bundle for tests: it cannot be installed, but it shows whether all of it arrived. */
export function fakeBundle(sizeBytes: number): Buffer {
  const body = Buffer.concat([
    Buffer.from(magic),
    randomBytes(sizeBytes - Buffer.byteLength(magic) - digestBytes),
  ]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** What RAUC does before it writes: reads all of a bundle (from HTTP only by Range) and verifies it. Throws what is wrong. */
export async function checkFakeBundle(source: string): Promise<void> {
  const bundle = /^https?:/.test(source) ? await streamed(source) : await readFile(source);
  const body = bundle.subarray(0, -digestBytes);
  const digest = createHash('sha256').update(body).digest();
  const isWhole = digest.equals(bundle.subarray(-digestBytes));
  if (!isWhole || !body.subarray(0, magic.length).equals(Buffer.from(magic)))
    throw new Error('signature verification failed');
}

async function streamed(url: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (let total = 1; length < total; ) {
    const response = await fetch(url, { headers: { range: `bytes=${length}-${length + partBytes - 1}` } });
    if (response.status !== 206) throw new Error(`the server answered ${response.status}`);
    total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
    const part = Buffer.from(await response.arrayBuffer());
    parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts);
}

if (import.meta.main) {
  try {
    await checkFakeBundle(process.argv[2] ?? '');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
