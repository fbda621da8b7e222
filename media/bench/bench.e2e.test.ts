import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fanOutSchema } from './load.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folders = ['/usr/local/go/bin', ...(process.env.PATH ?? '').split(delimiter)];
const hasTools = ['go', 'cc'].every((tool) => folders.some((folder) => existsSync(join(folder, tool))));

const outputSchema = z.object({
  measured: z.array(
    z.object({ server: z.string(), failure: z.null(), figures: z.array(fanOutSchema).length(1) }),
  ),
});

describe('npm run bench', () => {
  it('measures two viewers of this server, of Pion and of the floor, or names the missing tools', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'));
    const output = join(folder, 'fanout.json');
    try {
      const servers = ['rushlight', 'pion', 'floor-aes'];
      const args = [main, 'fanout', '--viewers', '2', '--seconds', '2'];
      const bench = run(process.execPath, [...args, '--servers', servers.join(','), '--output', output]);
      if (!hasTools) {
        await expect(bench).rejects.toThrow(/Install (Go|a C compiler)/);
        return;
      }
      const { stdout } = await bench;
      for (const server of servers) expect(stdout).toMatch(new RegExp(`^\\| ${server} +\\| +2 \\|`, 'm'));
      const { measured } = outputSchema.parse(JSON.parse(await readFile(output, 'utf8')));
      expect(measured.map(({ server }) => server)).toEqual(servers);
      for (const { figures } of measured)
        for (const one of figures) {
          expect(one.expectedPackets).toBeGreaterThan(2 * 15 * 30);
          expect(one.deliveredPackets).toBe(one.expectedPackets);
          expect(one.delaysUs).toHaveLength(one.expectedPackets / 15);
          expect(one.cpuUs).toBeGreaterThan(0);
          expect(one.usage.rssKib).toBeGreaterThan(0);
        }
      expect(measured.map(({ figures }) => figures[0]?.profile === 'plain')).toEqual([false, false, true]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.runIf(hasTools)('lets another processor do the receivers’ work, or says what that needs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'));
    const output = join(folder, 'fanout.json');
    try {
      const args = ['fanout', '--apart', '--viewers', '2', '--seconds', '2', '--servers', 'floor'];
      const bench = run(process.execPath, [main, ...args, '--output', output]);
      if (process.getuid?.() !== 0 || cpus().length < 2) {
        await expect(bench).rejects.toThrow(/needs root and two processors/);
        return;
      }
      expect((await bench).stdout).toContain(`of receiving: on processor ${cpus().length - 1}`);
      const { measured } = outputSchema.parse(JSON.parse(await readFile(output, 'utf8')));
      expect(measured[0]?.figures[0]?.deliveredPackets).toBeGreaterThan(2 * 15 * 30);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('rejects a server whose process it does not know', async () => {
    const bench = run(process.execPath, [main, 'fanout', '--whip', 'http://127.0.0.1:1/whip/a']);
    await expect(bench).rejects.toThrow(/--whip, --whep and --pid together/);
  });
});
