import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameHub } from './frame-hub.ts';

const never = new AbortController().signal;
const frame = (number: number) => Buffer.from(String(number));

describe('FrameHub', () => {
  it('gives each client the newest frame once, in order, and skips what it was too slow for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('publish', 'a', 'b'), { maxLength: 60 }), async (steps) => {
        const hub = new FrameHub();
        const clients = { a: hub.watch(), b: hub.watch() };
        const had = { a: 0, b: 0 };
        let published = 0;
        for (const step of steps) {
          if (step === 'publish') {
            published += 1;
            hub.publish(frame(published));
          } else if (had[step as 'a' | 'b'] < published) {
            const name = step as 'a' | 'b';
            expect(String(await clients[name].next(never))).toBe(String(published));
            had[name] = published;
          }
        }
      }),
    );
  });

  it('lets a client wait for a new frame, and leave', async () => {
    const hub = new FrameHub();
    const client = hub.watch();
    const first = client.next(never);
    hub.publish(frame(1));
    expect(String(await first)).toBe('1');
    const gone = new AbortController();
    const second = client.next(gone.signal);
    gone.abort();
    expect(await second).toBeNull();
    expect(await client.next(gone.signal)).toBeNull();
    const third = client.next(never);
    hub.publish(frame(2));
    expect(String(await third)).toBe('2');
  });

  it('shows nobody an outdated frame', async () => {
    const hub = new FrameHub();
    hub.publish(frame(1));
    hub.forget();
    const next = hub.watch().next(never);
    hub.publish(frame(2));
    expect(String(await next)).toBe('2');
  });

  it('counts each viewer once', () => {
    const counts: number[] = [];
    const hub = new FrameHub((count) => counts.push(count));
    const [one, two] = [hub.watch(), hub.watch()];
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    two[Symbol.dispose]();
    expect(counts).toEqual([1, 2, 1, 0]);
  });
});
