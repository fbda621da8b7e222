import type { Random } from './random.ts';

/** Requests that are not HTTP, or more than one. Pure. */
export function malformedRequests(random: Random): Buffer[] {
  const texts = [
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'a'.repeat(random.between(10_000, 100_000))} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(5000)}\r\n`,
    'POST /api/takes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /api/takes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
    'GET /%00%ff/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /api/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01',
  ];
  return [...texts.map((text) => Buffer.from(text, 'latin1')), noise(random, random.between(1, 2000))];
}

/** Invalid or unexpected JSON. Pure. */
export function malformedTexts(random: Random): string[] {
  const depth = random.between(1000, 20_000);
  return [
    '',
    '{',
    'null',
    '[]',
    '"\\ud800"',
    '{"__proto__":{"role":"owner"}}',
    '['.repeat(depth) + ']'.repeat(depth),
    '{"http":{"port":1e400}}',
    `{"${'k'.repeat(random.between(1000, 60_000))}":1}`,
    noise(random, 300).toString('latin1'),
  ];
}

/** Invalid or contradictory offers. Pure. */
export function malformedOffers(random: Random): string[] {
  const whole = offer(random);
  const at = random.between(1, whole.length - 1);
  return [
    '',
    'v=0',
    whole.slice(0, at),
    whole.slice(0, at) + noise(random, 20).toString('latin1') + whole.slice(at),
    whole.replaceAll('a=mid:0', 'a=mid:1\r\na=mid:0'),
    whole.replace('a=fingerprint:sha-256 ', 'a=fingerprint:md5 '),
    whole.replace(/a=ice-ufrag:.*\r\n/, ''),
    whole.replace('m=video 9', 'm=video 99999999'),
    whole + 'a=rtpmap:96 H264/90000\r\n'.repeat(2000),
  ];
}

/** An offer to watch, of somebody who never sends a packet. Pure. */
export function offer(random: Random): string {
  const fingerprint = Array.from({ length: 32 }, () => hex(random, 2).toUpperCase()).join(':');
  const lines = [
    'v=0',
    `o=- ${random.between(1, 2 ** 30)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${hex(random, 8)}`,
    `a=ice-pwd:${hex(random, 24)}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:actpass',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** STUN, DTLS, RTP and RTCP by their first byte, and nothing that follows it right. Pure. */
export function invalidPackets(random: Random): Buffer[] {
  return [0, 1, 20, 22, 63, 64, 128, 129, 191, 200, 255].map((first) => {
    const packet = noise(random, random.between(1, 1400));
    packet[0] = first;
    return packet;
  });
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.between(0, 255)));
}

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => random.between(0, 15).toString(16)).join('');
}
