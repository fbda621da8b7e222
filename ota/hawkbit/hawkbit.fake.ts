import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Feedback } from './ddi.ts';

/**
 * Simulates hawkBit's device API over real HTTP for one target: paths, headers and bodies as in its public REST reference.
 * Closes an action on a final feedback, like the server.
 */
export class FakeHawkbit implements AsyncDisposable {
  readonly #server: Server;
  readonly token: string;
  readonly feedbacks: { path: string; body: Feedback }[] = [];
  attributes: unknown = null;
  action: { id: string; update: string; artifacts: unknown[]; maintenanceWindow?: string } | null = null;
  cancel: { id: string; stopId: string } | null = null;
  wantsAttributes = true;
  url = '';

  constructor(token: string) {
    this.token = token;
    this.#server = createServer(async (request, response) => {
      if (request.headers.authorization !== `TargetToken ${token}`) {
        response.writeHead(401).end();
        return;
      }
      const answer = this.#answer(request.method ?? '', request.url ?? '', await bodyOf(request));
      response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/hal+json' });
      response.end(answer === null ? '' : JSON.stringify(answer));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/DEFAULT`;
  }

  static artifact(filename: string, url: string) {
    return {
      filename,
      hashes: { sha1: '0'.repeat(40), md5: '0'.repeat(32), sha256: 'A'.repeat(64) },
      size: 1000,
      _links: { 'download-http': { href: url }, 'md5sum-http': { href: `${url}.MD5SUM` } },
    };
  }

  #answer(method: string, path: string, body: string): unknown {
    const own = '/DEFAULT/controller/v1/device-1';
    const link = (suffix: string) => ({ href: `${this.url}/controller/v1/device-1${suffix}` });
    if (method === 'GET' && path === own) {
      return {
        config: { polling: { sleep: '00:05:00' } },
        _links: {
          ...(this.wantsAttributes ? { configData: link('/configData') } : {}),
          ...(this.cancel === null ? {} : { cancelAction: link(`/cancelAction/${this.cancel.id}`) }),
          ...(this.action === null
            ? {}
            : { deploymentBase: link(`/deploymentBase/${this.action.id}?c=-21`) }),
        },
      };
    }
    if (method === 'PUT' && path === `${own}/configData`) {
      this.attributes = JSON.parse(body);
      this.wantsAttributes = false;
      return {};
    }
    if (method === 'GET' && path.startsWith(`${own}/deploymentBase/`) && this.action !== null) {
      const { id, update, artifacts, maintenanceWindow } = this.action;
      const chunks = [{ part: 'os', version: '1.1.0', name: 'Rushlight', artifacts }];
      return {
        id,
        deployment: { download: update, update, ...(maintenanceWindow ? { maintenanceWindow } : {}), chunks },
        actionHistory: { status: 'RUNNING', messages: [] },
      };
    }
    if (method === 'GET' && path === `${own}/cancelAction/${this.cancel?.id}` && this.cancel !== null) {
      return { id: this.cancel.id, cancelAction: { stopId: this.cancel.stopId } };
    }
    if (method === 'POST' && path.endsWith('/feedback')) {
      const feedback = JSON.parse(body) as Feedback;
      this.feedbacks.push({ path, body: feedback });
      if (feedback.status.execution === 'closed') {
        if (path.includes('/cancelAction/')) this.cancel = null;
        this.action = null;
      }
      return {};
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
