/** A running API server over ports of the test, for tests that send it requests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Problem, problemSchema } from '../contract/index.ts';
import { freshKeys } from '../system/key-store.fake.ts';
import type { KeyStore } from '../system/key-store.ts';
import { apiPortsFake } from './api-ports.fake.ts';
import { ApiServer, type ApiServerOptions } from './server.ts';

/** What tests choose of a server. */
export interface FakeServerOptions extends Partial<Omit<ApiServerOptions, 'access'>> {
  /** Default: none that anyone has. */
  readonly keys?: KeyStore;
  /** Whether a key is needed. Default: no. */
  readonly required?: boolean;
}

/** Makes one that listens on 127.0.0.1, on a port the system chooses, and has no pages. */
export function makeApiServer({ keys, required, ...options }: FakeServerOptions = {}): ApiServer {
  return new ApiServer({
    ports: apiPortsFake(),
    access: { keys: keys ?? freshKeys(), required: required ?? false },
    version: '1',
    pages: '/nowhere',
    upstream: null,
    listen: ['127.0.0.1'],
    port: 0,
    tls: null,
    log: pino({ level: 'silent' }),
    ...options,
  });
}

/** One that runs. */
export interface RunningApiServer extends AsyncDisposable {
  readonly port: number;
  /** Without a slash at the end. */
  readonly url: string;
  /** Begins to end it; `ended` resolves when that is done. */
  readonly stop: () => void;
  readonly ended: Promise<void>;
}

/** Starts one; disposing ends it and waits for that. */
export async function openApiServer(options: FakeServerOptions = {}): Promise<RunningApiServer> {
  const controller = new AbortController();
  const server = makeApiServer(options);
  const ended = server.run(controller.signal);
  const port = await Promise.race([server.listening, ended.then(() => 0)]);
  const stop = (): void => controller.abort();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop,
    ended,
    async [Symbol.asyncDispose]() {
      stop();
      await ended;
    },
  };
}

/** A folder of pages with one `index.html`; disposing removes it. */
export async function makePages(index = 'page'): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'rushlight-pages-'));
  await writeFile(join(path, 'index.html'), index);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** The problem document that an answer must be. */
export async function problemIn(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type');
  if (type?.includes('application/problem+json') !== true) throw new Error(`${response.status} of ${type}`);
  return problemSchema.parse(await response.json());
}
