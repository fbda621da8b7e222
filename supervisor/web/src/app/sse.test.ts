import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SseMessage, SseParser } from './sse.ts';

const parseAll = (chunks: readonly string[]): SseMessage[] => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

test('an event with name, data over several lines and id', () => {
  expect(parseAll(['event: status\nid: 7\ndata: {"a":\ndata: 1}\n\n'])).toEqual([
    { event: 'status', data: '{"a":\n1}', id: '7' },
  ]);
});

test('comments, unknown fields and events without data are no messages', () => {
  expect(parseAll([': keep-alive\n\n', 'nonsense: 1\n\n', 'event: lonely\n\n', 'data\n\n'])).toEqual([
    { event: 'message', data: '', id: '' },
  ]);
});

test('a name does not leak into the next event', () => {
  expect(parseAll(['event: a\n\ndata: x\n\n'])).toEqual([{ event: 'message', data: 'x', id: '' }]);
});

test('retry is taken only when it is digits', () => {
  const parser = new SseParser();
  parser.push('retry: soon\n');
  expect(parser.retryMs).toBeNull();
  parser.push('retry: 1500\n');
  expect(parser.retryMs).toBe(1500);
});

test('a byte order mark at the start is skipped', () => {
  expect(parseAll(['\uFEFFdata: x\n\n'])).toEqual([{ event: 'message', data: 'x', id: '' }]);
});

const lineText = fc.string().map((text) => text.replace(/[\r\n\0\uFEFF]/g, ''));
const sent = fc.record({
  event: lineText.filter((name) => name !== ''),
  lines: fc.array(lineText, { minLength: 1, maxLength: 4 }),
});

test('what a server writes arrives, whatever the line ends and however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(sent, { maxLength: 6 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat({ max: 9 })),
      (events, end, cuts) => {
        const text = events
          .map(({ event, lines }) => {
            const data = lines.map((line) => `data: ${line}${end}`).join('');
            return `event: ${event}${end}${data}${end}`;
          })
          .join('');
        // A trailing comment line shows the parser that a final CR was no half of CRLF.
        const whole = `${text}: end\n`;
        const chunks: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.slice(at, at + cut));
          at += cut;
        }
        chunks.push(whole.slice(at));
        expect(parseAll(chunks).map(({ event, data }) => ({ event, data }))).toEqual(
          events.map(({ event, lines }) => ({ event, data: lines.join('\n') })),
        );
      },
    ),
  );
});

test('no text makes it throw, and the cut does not change the messages', () => {
  const noisy = fc.array(
    fc.constantFrom('data', 'event', 'id', 'retry', ':', ' ', '\n', '\r', '\r\n', 'x', '\0', '5'),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(noisy, (parts) => {
      expect(parseAll(parts)).toEqual(parseAll([parts.join('')]));
    }),
  );
});
