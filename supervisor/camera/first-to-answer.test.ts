import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { firstToAnswer } from './first-to-answer.ts';

const never = new AbortController().signal;
const forEver = (signal: AbortSignal) => sleep(2 ** 30, 'never', { signal });

describe('firstToAnswer', () => {
  it('chooses the address that answers if the first one drops everything, and aborts the others', async () => {
    const aborted: string[] = [];
    const attempt = async (address: string, signal: AbortSignal) => {
      if (address === 'good') return 'welcome';
      return await forEver(signal).catch((error: unknown) => {
        aborted.push(address);
        throw error;
      });
    };
    const answer = await firstToAnswer(['hole', 'good', 'unneeded'], attempt, never);
    expect(answer).toEqual({ address: 'good', value: 'welcome' });
    await sleep(0);
    expect(aborted).toEqual(['hole']);
  });

  it('begins with the first alone', async () => {
    const begun: string[] = [];
    const attempt = async (address: string) => {
      begun.push(address);
      await sleep(20);
      return address;
    };
    expect((await firstToAnswer(['a', 'b'], attempt, never)).address).toBe('a');
    expect(begun).toEqual(['a']);
  });

  it('continues at once if an address fails', async () => {
    const startedAtMs = new Map<string, number>();
    const attempt = async (address: string) => {
      startedAtMs.set(address, performance.now());
      if (address === 'b') return 1;
      throw new Error('refused');
    };
    expect((await firstToAnswer(['a', 'b'], attempt, never)).address).toBe('b');
    expect([...startedAtMs.keys()]).toEqual(['a', 'b']);
  });

  it('reports every failure, in order', async () => {
    const attempt = async (address: string): Promise<never> => {
      await sleep(address === 'a' ? 60 : 0);
      throw new Error(address);
    };
    const error: unknown = await firstToAnswer(['a', 'b'], attempt, never).catch((reason: unknown) => reason);
    if (!(error instanceof AggregateError)) throw new Error('it did not fail');
    expect(error.errors.map(({ message }: Error) => message)).toEqual(['a', 'b']);
  });

  it('ends with its signal and starts no further attempt', async () => {
    const stop = new AbortController();
    let attempts = 0;
    const trying = firstToAnswer(
      ['a', 'b', 'c'],
      (_address, signal) => {
        attempts += 1;
        return forEver(signal);
      },
      stop.signal,
    );
    stop.abort();
    await expect(trying).rejects.toBeInstanceOf(AggregateError);
    expect(attempts).toBeLessThanOrEqual(1);
  });
});
