import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';
import { RigError } from '../../lib/errors.ts';
import { waitFor } from '../../lib/wait.ts';

const messageSchema = z.union([
  z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).optional() }),
  z.object({ id: z.number().optional(), return: z.unknown() }),
  z.object({ id: z.number().optional(), error: z.object({ desc: z.string() }) }),
  z.object({ QMP: z.unknown() }),
]);

const blockStatsSchema = z.array(z.object({ device: z.string(), stats: z.object({ wr_bytes: z.number() }) }));

/** Why QEMU ended, from its SHUTDOWN event: `guest-reset`, `guest-shutdown`, `guest-panic`, `host-qmp-quit`, … */
export type ShutdownReason = string;

/** QEMU's machine protocol (QMP) over a Unix socket. */
export class QmpClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  #shutdownReason: ShutdownReason | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects once QEMU has made the socket. */
  static async connect(path: string, signal?: AbortSignal): Promise<QmpClient> {
    const socket = await waitFor(
      'QEMU opens its control socket',
      async () => {
        const attempt = createConnection(path);
        await once(attempt, 'connect');
        return attempt;
      },
      { timeoutMs: 30_000, pollMs: 50, ...(signal ? { signal } : {}) },
    );
    const client = new QmpClient(socket);
    let rest = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') client.#receive(line);
    });
    // A killed QEMU resets the connection; `close` follows and notifies those who wait.
    socket.on('error', () => {});
    socket.once('close', () => client.#fail());
    await client.execute('qmp_capabilities');
    return client;
  }

  get shutdownReason(): ShutdownReason | null {
    return this.#shutdownReason;
  }

  async execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#socket.destroyed) throw new RigError('RIG_TOOL', 'QEMU has ended');
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return await answer.promise;
  }

  /** Bytes the guest has written to a drive since QEMU started. */
  async writtenBytes(drive: string): Promise<number> {
    const drives = blockStatsSchema.parse(await this.execute('query-blockstats'));
    return drives.find(({ device }) => device === drive)?.stats.wr_bytes ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  #receive(line: string): void {
    const parsed = messageSchema.safeParse(JSON.parse(line));
    if (!parsed.success) return;
    const message = parsed.data;
    if ('event' in message) {
      if (message.event === 'SHUTDOWN') this.#shutdownReason = String(message.data?.reason ?? 'unknown');
      return;
    }
    if ('QMP' in message || message.id === undefined) return;
    const waiting = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('error' in message) waiting?.reject(new RigError('RIG_TOOL', `QEMU: ${message.error.desc}`));
    else waiting?.resolve(message.return);
  }

  #fail(): void {
    for (const waiting of this.#pending.values()) waiting.reject(new RigError('RIG_TOOL', 'QEMU has ended'));
    this.#pending.clear();
  }
}
