import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestHost } from '../../supervisor/testing/netns.ts';

/** A program of this folder that runs on another machine: it gets one JSON line for each request, and answers with one. */
export class JsonAgent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  #complaints = '';

  constructor(host: TestHost, program: string, args: readonly string[] = []) {
    this.#child = host.spawn(process.execPath, join(import.meta.dirname, program), ...args);
    const { stdout, stderr } = this.#child;
    if (stdout === null) throw new Error('no output');
    createInterface({ input: stdout }).on('line', (line) => {
      const { id, answer } = JSON.parse(line);
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    });
    stderr?.on('data', (chunk) => {
      this.#complaints = (this.#complaints + String(chunk)).slice(-2000);
    });
    // A write to an agent that has ended is answered by its end.
    this.#child.stdin?.on('error', () => this.#giveUp(program));
    this.#child.once('exit', () => this.#giveUp(program));
  }

  async ask<T>(request: unknown): Promise<T> {
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#child.stdin?.write(`${JSON.stringify({ id, request })}\n`);
    return (await waiting.promise) as T;
  }

  #giveUp(program: string): void {
    for (const { reject } of this.#waiting.values())
      reject(new Error(`${program} ended: ${this.#complaints}`));
    this.#waiting.clear();
  }
}

/** The other side: answers each request of standard input. */
export async function answerRequests(answer: (request: unknown) => Promise<unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, request } = JSON.parse(line);
    void answer(request).then((result) =>
      process.stdout.write(`${JSON.stringify({ id, answer: result ?? null })}\n`),
    );
  }
}
