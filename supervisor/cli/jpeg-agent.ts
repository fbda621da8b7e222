#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { Backoff } from '../../common/backoff.ts';
import { pause } from '../../common/pause.ts';
import { pictureRefusalSchema } from '../contract/index.ts';
import { PictureInput } from './picture-input.ts';

const usage = `jpeg-agent: publishes JPEG pictures from standard input as a feed of a hub

  ffmpeg … -f mpjpeg - | jpeg-agent.ts --hub http://hub.local --feed shed [--token-file FILE]
`;
const retryLimits = { firstMs: 250, maxMs: 5000 };

interface Agent {
  readonly url: string;
  readonly token: string | null;
  readonly say: (text: string) => void;
}

/** Publishes until the input ends; connects again after every failure. */
export async function publishPictures(input: Readable, agent: Agent): Promise<void> {
  const ended = new AbortController();
  const pictures = new PictureInput();
  const reading = pictures.read(input).finally(() => ended.abort());
  const backoff = new Backoff(retryLimits);
  while (!ended.signal.aborted) {
    const sent = await publishOnce(pictures, agent, ended.signal);
    if (sent > 0) backoff.reset();
    await pause(backoff.nextMs(), ended.signal);
  }
  await reading;
}

/** One connection. Returns how many pictures it carried. A picture is sent once the one before has left. */
async function publishOnce(
  pictures: PictureInput,
  { url, token, say }: Agent,
  ended: AbortSignal,
): Promise<number> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const over = new AbortController();
  const stop = AbortSignal.any([ended, over.signal]);
  const opened = Promise.withResolvers<void>();
  socket.on('open', () => opened.resolve());
  socket.on('message', (data) => say(`the hub says: ${refusalIn(String(data))}`));
  socket.on('error', (error) => say(`no connection to the hub: ${error.message}`));
  socket.on('close', (code, reason) => {
    if (code !== 1000) say(`the connection ended: ${code} ${reason}`);
    over.abort();
    opened.resolve();
  });
  await opened.promise;
  let sent = 0;
  for (let picture = await pictures.next(stop); picture !== null; picture = await pictures.next(stop)) {
    await new Promise<void>((resolve) => socket.send(picture, () => resolve()));
    sent += 1;
  }
  socket.close(1000);
  return sent;
}

function refusalIn(text: string): string {
  try {
    const { message, count } = pictureRefusalSchema.parse(JSON.parse(text));
    return `${message} (${count})`;
  } catch {
    return text.slice(0, 200); // a hub of another version; people can read it anyway
  }
}

/** Reads the command line and publishes standard input. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { hub: { type: 'string' }, feed: { type: 'string' }, 'token-file': { type: 'string' } },
  });
  if (values.hub === undefined || values.feed === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const url = new URL(`/ws/feeds/${values.feed}?publish`, values.hub);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const file = values['token-file'];
  const token = file === undefined ? null : (await readFile(file, 'utf8')).trim();
  await publishPictures(process.stdin, {
    url: url.href,
    token,
    say: (text) => process.stderr.write(`${text}\n`),
  });
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
