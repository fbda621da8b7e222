import { expect, it } from 'vitest';
import type { PacketOutlet } from '../datapath.ts';
import { NodeRelay } from './node-relay.ts';

it('A track keeps its newest keyframe for new viewers, however old it is', async () => {
  using relay = new NodeRelay('video');
  const write = (sequence: number) => {
    const payload = Buffer.alloc(100);
    payload.writeUInt32BE(sequence);
    relay.write({ sequence, timestamp: sequence * 300, marker: true, payload });
  };
  write(1000);
  relay.markKeyframe(1000);
  for (let sequence = 1001; sequence < 13_000; sequence++) write(sequence);
  expect(relay.keyframe).toBe(1000);
  const got: number[] = [];
  const times: number[] = [];
  const outlet: PacketOutlet = {
    blocked: false,
    sendRtp: ({ timestamp }, _, payload) => {
      got.push(payload.readUInt32BE(0));
      times.push(timestamp);
    },
  };
  using sink = relay.addTap(outlet);
  sink.start(1000);
  await expect.poll(() => got.length, { timeout: 20_000 }).toBe(12_000);
  expect(got).toEqual(Array.from({ length: 12_000 }, (_, i) => 1000 + i));
  // All of it is a fifth of a second for the viewer, and live pictures keep their time.
  expect(times.at(-1)).toBe(12_999 * 300);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBe(90_000 / 5);
});
