import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLine, MAX_LINE_BYTES, NdjsonError, NdjsonReader } from './ndjson.ts';
import { mediaConfigSchema, mediaEventSchema, methods, requestSchema, responseSchema } from './protocol.ts';

describe('NDJSON', () => {
  it('parses the same values however the stream is split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 10 }),
        fc.integer({ min: 1, max: 40 }),
        (values, size) => {
          const stream = Buffer.from(values.map(encodeLine).join(''));
          const reader = new NdjsonReader();
          const read: unknown[] = [];
          for (let at = 0; at < stream.length; at += size)
            read.push(...reader.push(stream.subarray(at, at + size)));
          expect(read).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  it('rejects invalid JSON and endless lines', () => {
    expect(() => new NdjsonReader().push(Buffer.from('{"a":\n'))).toThrow(NdjsonError);
    const reader = new NdjsonReader();
    expect(() => {
      for (let i = 0; i < 20; i++) reader.push(Buffer.alloc(MAX_LINE_BYTES / 10, 'x'));
    }).toThrow(NdjsonError);
  });
});

describe('The protocol', () => {
  it('never throws on any input', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        requestSchema.safeParse(value);
        responseSchema.safeParse(value);
        mediaEventSchema.safeParse(value);
        for (const method of Object.values(methods)) method.params.safeParse(value);
      }),
    );
  });

  it('accepts a configuration as the supervisor writes it, and no unknown field', () => {
    const config = {
      udpPort: 8189,
      tcpPort: 0,
      listenAddresses: 'auto',
      ingests: [{ feed: 'cam0', rtpPort: 5004, kind: 'h264', audio: { rtpPort: 5006 } }],
      pushes: [{ feed: 'cam0', url: 'https://hub.local/whip/stage-left', token: 'secret' }],
    };
    expect(mediaConfigSchema.parse(config)).toEqual({
      ...config,
      pulls: [],
      taps: [],
      outputs: [],
      maxPublisherBitrateKbps: 20_000,
    });
    expect(mediaConfigSchema.safeParse({ ...config, extra: 1 }).success).toBe(false);
    expect(mediaConfigSchema.safeParse({ ...config, pushes: [{ feed: 'a', url: 'ftp://x' }] }).success).toBe(
      false,
    );
  });
});
