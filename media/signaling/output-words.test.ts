import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputWords } from './output-words.ts';
import { foreignPace, hubPace, pauseAfter } from './retry-pause.ts';
import { HubError } from './whip-client.ts';

const target = {
  url: 'https://live.example.com/whip/4f3c2b1a0987654321?key=verysecretstreamkey',
  token: 'tok-en',
};

function refused(status: number, detail?: string): HubError {
  return new HubError('HUB_REFUSED', `the hub answered ${status}`, { status, detail });
}

function unreachable(code: string, message = code): HubError {
  return new HubError('HUB_UNREACHABLE', 'x', { cause: Object.assign(new Error(message), { code }) });
}

describe('The message for an output that does not send', () => {
  it.each([
    [401, 'The server refused the token (401). Check the token of this output.'],
    [403, "The server does not allow publishing here (403). Check the token's rights and the URL."],
    [404, 'The server has nothing at this URL (404). Check the path of the URL.'],
    [409, 'Somebody else publishes there already (409). Stop that stream, or choose another URL.'],
    [502, 'The server failed (502). Check its log.'],
    [302, 'The server points elsewhere (302). Set the URL that it names now.'],
    [418, 'The server refused the feed (418).'],
  ])('%i', (status, words) => {
    expect(outputWords(refused(status), target)).toBe(words);
  });

  it('asks for a token if none is set', () => {
    expect(outputWords(refused(401), { url: target.url })).toContain('Set the token of this output.');
  });

  it('recognises a rejected token in the words of MediaMTX', () => {
    expect(outputWords(refused(400, 'authentication failed: authentication failed'), target)).toBe(
      'The server refused the token (400). Check the token of this output. It said: authentication failed: authentication failed',
    );
  });

  it.each([
    ['ENOTFOUND', 'No address was found for live.example.com.'],
    ['ECONNREFUSED', 'Nothing listens there.'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'Set tls_fingerprint or ca_file.'],
    ['EPROTO', 'http:// instead of https://'],
  ])('%s', (code, words) => {
    expect(outputWords(unreachable(code), target)).toContain(words);
  });

  it('names what blocks packets, and a relay that would be needed', () => {
    const late = { ended: 'connect-timeout' } as const;
    expect(outputWords(new HubError('HUB_SILENT', 'x', late), target)).toContain('Open its UDP port');
    const relay = new HubError('HUB_SILENT', 'x', { ...late, hubCode: 'RELAY_NEEDED' });
    expect(outputWords(relay, target)).toContain('relay (TURN)');
  });

  it('never shows the token or a stream key, whatever the server writes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.integer({ min: 300, max: 599 }), (before, after, status) => {
        const said = `${before}tok-en${after} 4f3c2b1a0987654321 verysecretstreamkey\r\n`;
        const words = outputWords(refused(status, said), target);
        expect(words).not.toMatch(/tok-en|4f3c2b1a0987654321|verysecretstreamkey/);
        expect(words).not.toMatch(/\p{Cc}/u);
        expect(words.length).toBeLessThan(400);
      }),
    );
  });
});

describe('An output is tried again', () => {
  const silent = new HubError('HUB_SILENT', 'gone');

  it('after a longer wait each time, up to a minute, never in step with others', () => {
    const pauses = Array.from({ length: 200 }, () => pauseAfter(silent, 12, foreignPace));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_050);
    expect(new Set(pauses).size).toBeGreaterThan(100);
    const first = Array.from({ length: 200 }, () => pauseAfter(silent, 1, foreignPace));
    expect(Math.max(...first)).toBeLessThanOrEqual(1050);
  });

  it('no sooner than the server allows', () => {
    const asked = new HubError('HUB_REFUSED', 'x', { status: 429, retryAfterS: 120 });
    for (let i = 0; i < 50; i++) expect(pauseAfter(asked, 1, foreignPace)).toBeGreaterThanOrEqual(120_000);
    expect(pauseAfter(asked, 1, hubPace)).toBe(10_000);
  });

  it('rarely if only a person can help', () => {
    expect(pauseAfter(refused(401), 1, foreignPace)).toBeGreaterThanOrEqual(30_000);
  });
});
