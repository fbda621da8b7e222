/**
 * A server in a process of its own, so that it can be given few descriptors, with a child that stands for a recorder. Says
 * `port <n>` first; answers each line of its input with `ok` or what is wrong, after doing what a supervisor does all the
 * time: opening files and starting programs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { openApiServer } from './api-server.fake.ts';

const [pages = '', recording = ''] = process.argv.slice(2);

async function work(): Promise<string> {
  const handles = [];
  try {
    for (let index = 0; index < 24; index += 1) handles.push(await open(pages));
    const [code] = await once(spawn('true', { stdio: ['pipe', 'pipe', 'pipe'] }), 'exit');
    return code === 0 ? 'ok' : `true ended with ${code}`;
  } catch (error) {
    return String(error);
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
}

const recorder = spawn('sh', ['-c', `while echo frame >> "${recording}"; do sleep 0.05; done`], {
  stdio: 'ignore',
});
const server = await openApiServer({ pages, required: true });
process.stdout.write(`port ${server.port}\n`);
for await (const _line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${recorder.exitCode === null ? await work() : 'the recorder ended'}\n`);
}
recorder.kill();
await server[Symbol.asyncDispose]();
