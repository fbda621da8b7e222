import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { Backend } from './backend.fake.ts';

const gib = 1024 ** 3;

test('passes a download of 1 GiB at constant memory', async () => {
  await using backend = await new Backend().open();
  const program = join(import.meta.dirname, 'gateway-process.fake.ts');
  const child = spawn(process.execPath, [program, `http://127.0.0.1:${backend.port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: number[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(Number(line)));
  try {
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(2), { timeout: 20_000 });
    const [port = 0] = lines;
    // The first megabytes bring buffers and code to their working size.
    expect(await download(port, gib / 16)).toBe(gib / 16);
    const atRest = lines.at(-1) ?? 0;
    const from = lines.length;
    expect(await download(port, gib)).toBe(gib);
    const peak = Math.max(...lines.slice(from));
    console.info(`gateway: ${megabytes(atRest)} before 1 GiB, ${megabytes(peak)} at its peak`);
    expect(peak - atRest).toBeLessThan(160 * 1024 ** 2);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

async function download(port: number, bytes: number): Promise<number> {
  const answered = Promise.withResolvers<IncomingMessage>();
  get({ port, host: '127.0.0.1', path: `/bytes/${bytes}`, agent: false }, answered.resolve);
  let received = 0;
  for await (const chunk of await answered.promise) received += chunk.length;
  return received;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
