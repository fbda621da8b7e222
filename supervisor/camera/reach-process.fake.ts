/** Finds, from within a network namespace, where a hub answers: `--pin <fingerprint> <url>…`. Prints the result as JSON. */
import { request } from 'node:https';
import { parseArgs } from 'node:util';
import { reachHub } from './reach-hub.ts';

const { values, positionals } = parseArgs({ options: { pin: { type: 'string' } }, allowPositionals: true });
const [url = '', ...otherUrls] = positionals;
const startedAtMs = performance.now();
const reached = await reachHub(
  { url, otherUrls },
  { pin: values.pin ?? null, hasKey: true },
  AbortSignal.timeout(30_000),
);
const reachedMs = Math.round(performance.now() - startedAtMs);
const status = await new Promise<number>((resolve, reject) => {
  request(reached.url, reached.tls, (response) => resolve(response.resume().statusCode ?? 0))
    .on('error', reject)
    .end();
});
process.stdout.write(`${JSON.stringify({ url: reached.url, status, reachedMs })}\n`);
