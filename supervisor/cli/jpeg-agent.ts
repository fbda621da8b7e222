#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { Backoff } from '../../common/backoff.ts';
import { pause } from '../../common/pause.ts';
import { sendPictures } from '../../common/picture-sender.ts';
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
  const { token, say } = agent;
  const open = () => ({
    next: (signal: AbortSignal) => pictures.next(signal),
    [Symbol.dispose]: () => {},
  });
  const onMessage = (text: string) => say(`the hub says: ${refusalIn(text)}`);
  while (!ended.signal.aborted) {
    const options = { url: new URL(agent.url), token, open, onMessage };
    const { sent, reason } = await sendPictures(options, ended.signal);
    if (!ended.signal.aborted) say(`no connection to the hub: ${reason}`);
    if (sent > 0) backoff.reset();
    await pause(backoff.nextMs(), ended.signal);
  }
  await reading;
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
