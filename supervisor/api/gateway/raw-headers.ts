/** Headers as they arrived, names and values in turn, with case, order and repetitions kept (`message.rawHeaders`). */
export type RawHeaders = readonly string[];

/** Fields that concern one connection only (RFC 9110 section 7.6.1). `Expect` is answered by our own server. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/**
 * Fields that say where a message ends, whom it is for, or who sends it. A `Connection` field that names one of them is a trick
 * to make two servers read the same bytes differently: such a field is passed on anyway.
 */
const kept =
  /^(?:content-.+|host|trailer|authorization|cookie|set-cookie|origin|forwarded|via|x-forwarded-.+|x-real-ip|sec-.+)$/;

/** Fields that must not come after a body: a server that reads them there has already decided about the message. */
const neverTrailers = new Set([...hopByHop, 'cache-control', 'range', 'location', 'max-forwards']);

/** What is passed on to the other side: everything except what concerns only this connection. */
export function endToEnd(raw: RawHeaders): string[] {
  const named = new Set(hopByHop);
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const token of value.split(',')) {
      const option = token.trim().toLowerCase();
      if (!kept.test(option)) named.add(option);
    }
  }
  return pairs(raw)
    .filter(([name]) => !named.has(name.toLowerCase()))
    .flat();
}

/** The trailers that may be passed on: none that frames, routes or signs the message. */
export function safeTrailers(raw: RawHeaders): (readonly [name: string, value: string])[] {
  return pairs(raw).filter(
    ([name]) => !kept.test(name.toLowerCase()) && !neverTrailers.has(name.toLowerCase()),
  );
}

/** How often a field occurs. */
export function countHeader(raw: RawHeaders, wanted: string): number {
  return pairs(raw).filter(([name]) => name.toLowerCase() === wanted).length;
}

/** Removes our own session from the Cookie fields: the backend must not get it. */
export function withoutCookie(raw: RawHeaders, cookie: string): string[] {
  return pairs(raw).flatMap(([name, value]) => {
    if (name.toLowerCase() !== 'cookie') return [name, value];
    const rest = value.split(';').filter((pair) => pair.trim().split('=')[0] !== cookie);
    if (rest.length === value.split(';').length) return [name, value];
    return rest.length === 0 ? [] : [name, rest.join(';').trim()];
  });
}

/** Whether a field occurs. */
export function hasHeader(raw: RawHeaders, wanted: string): boolean {
  return pairs(raw).some(([name]) => name.toLowerCase() === wanted);
}

/** The fields in their order. */
export function pairs(raw: RawHeaders): (readonly [name: string, value: string])[] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}

/** Head of a message as it is sent, to be written as Latin-1. */
export function headText(startLine: string, raw: RawHeaders): string {
  return `${[startLine, ...pairs(raw).map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;
}
