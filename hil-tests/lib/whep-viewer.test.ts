import { expect, test } from 'vitest';
import { H264Counter } from './h264-counter.ts';
import { pointTo } from './whep-viewer.ts';

test('rewrites an answer to one address', () => {
  const sdp = [
    'v=0',
    'a=candidate:1 1 udp 2130706431 10.0.2.15 8189 typ host',
    'a=candidate:2 1 udp 2130706431 169.254.3.4 8189 typ host',
    'a=end-of-candidates',
  ].join('\r\n');
  expect(pointTo(sdp, { host: '127.0.0.1', port: 40_000 }).split('\r\n')).toEqual([
    'v=0',
    'a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host',
    'a=end-of-candidates',
  ]);
});

function packet(sequence: number, marker: boolean, payload: number[]): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = 96 | (marker ? 0x80 : 0);
  header.writeUInt16BE(sequence, 2);
  return Buffer.concat([header, Buffer.from(payload)]);
}

test('counts pictures, keyframes and gaps', () => {
  const counter = new H264Counter();
  counter.take(packet(65_534, false, [0x67, 1]));
  counter.take(packet(65_535, true, [0x7c, 0x85, 1])); // the start of a fragmented IDR slice
  counter.take(packet(2, true, [0x41, 1])); // 0 and 1 are missing
  counter.take(packet(1, false, [0x41, 1])); // late
  counter.take(Buffer.from([0x80, 200, 0, 6, ...new Array(20).fill(0)])); // RTCP
  expect(counter).toMatchObject({ pictures: 2, keyframes: 1, parameterSets: 1, lost: 2 });
});
