import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sealEnvelope } from '../../ota/channel/envelope.ts';
import { fakeBundle } from '../../ota/updater/bundle.fake.ts';

/** A vendor's release server: a signed channel and one bundle. Counts what is fetched. */
export class ReleaseServer implements AsyncDisposable {
  readonly bundle: Buffer;
  readonly publicKeyPem: string;
  /** Bytes of the bundle that went out, and requests for it. */
  bytesSent = 0;
  requests = 0;
  readonly #channel: string;
  readonly #server: Server;

  constructor(version: string, sizeBytes: number) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.bundle = fakeBundle(sizeBytes);
    this.publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const release = {
      version,
      compatible: 'board',
      url: 'new.raucb',
      sizeBytes,
      notes: 'Sharper pictures.',
      sha256: createHash('sha256').update(this.bundle).digest('hex'),
    };
    const channel = { schema: 1, channel: 'stable', sequence: 1, releases: [release] };
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    this.#channel = sealEnvelope(Buffer.from(JSON.stringify(channel)), key);
    this.#server = createServer((request, response) => {
      if (request.url === '/stable.json') return response.end(this.#channel);
      this.requests += 1;
      const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const body = this.bundle.subarray(start);
      this.bytesSent += body.length;
      const range = { 'content-range': `bytes ${start}-${sizeBytes - 1}/${sizeBytes}` };
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': body.length,
        ...(start > 0 ? range : {}),
      });
      return response.end(body);
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
