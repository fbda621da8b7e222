/** For each requirement, a server that breaks it, and the words in which the look has to say so. */
import type { Protocol } from './requirement.ts';
import type { Passed, Returned, Spoiler } from './spoiling-proxy.fake.ts';

/** A way to break a server, with the requirement it breaks. */
export interface Broken extends Spoiler {
  readonly says: RegExp;
  /** Default: whip, if the requirement is one of WHIP. */
  readonly protocol?: Protocol;
}

const isEndpoint = ({ path }: Passed): boolean => path.split('/').length === 3;
const isSession = ({ path }: Passed): boolean => path.split('/').length === 4;
const isOffer = (request: Passed): boolean => request.method === 'POST' && isEndpoint(request);
const isCreated = (response: Returned, request: Passed): boolean =>
  isOffer(request) && response.status === 201;
const isPatch = (request: Passed): boolean => request.method === 'PATCH' && isSession(request);

const answering = (
  matches: (request: Passed) => boolean,
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Spoiler => ({
  request: (request) => (matches(request) ? { status, headers: { ...headers }, body } : null),
});

/** Changes what answers an offer. */
const inAnswer = (change: (response: Returned) => void): Spoiler => ({
  response: (response, request) => {
    if (isCreated(response, request)) change(response);
  },
});

const inSdp = (pattern: RegExp | string, replacement: string): Spoiler =>
  inAnswer((response) => {
    response.body = response.body.replaceAll(pattern, replacement);
  });

const inRestart = (change: (response: Returned) => void): Spoiler => ({
  response: (response, request) => {
    if (isPatch(request) && response.status === 200) change(response);
  },
});

const without = (name: string) => (response: Returned) => {
  delete response.headers[name];
};

const has =
  (method: string, more: (request: Passed) => boolean = () => true) =>
  (request: Passed) =>
    request.method === method && more(request);

const lists = (name: string, value: string, of: (request: Passed) => boolean): Spoiler => ({
  response: (response, request) => {
    if (of(request)) response.headers[name] = value;
  },
});

/** `wrongStun` is where checks are answered wrongly, `nowhere` where nobody answers. */
export function brokenServers(wrongStun: number, nowhere: number): Readonly<Record<string, Broken>> {
  const moved = (port: number): Spoiler =>
    inAnswer((response) => {
      response.body = response.body
        .replaceAll(/^a=candidate:.*\r\n/gm, '')
        .replace('a=rtcp-mux\r\n', `a=rtcp-mux\r\na=candidate:1 1 udp 1 127.0.0.1 ${port} typ host\r\n`);
    });
  let session = 0;
  const otherSession = new Map<string, string>();
  return {
    'get-endpoint': { ...answering(has('GET', isEndpoint), 405, {}, 'no'), says: /405.*a body/ },
    'get-session': { ...answering(has('GET', isSession), 200, {}, 'here'), says: /a body of 4/ },
    'head-type': { ...answering(has('HEAD'), 204), says: /204.*missing/, protocol: 'whep' },
    'head-like-get': {
      ...answering(has('HEAD'), 200, { 'content-type': 'text/html' }),
      says: /Content-Type is "text\/html" for HEAD/,
      protocol: 'whep',
    },
    'post-created': { ...inAnswer(without('location')), says: /Location is missing/ },
    'post-type': { ...answering(isOffer, 201, {}, 'v=0'), says: /text\/plain is answered 201/ },
    'post-malformed': { ...answering(isOffer, 500), says: /an empty body is answered 500/ },
    'cors-endpoint': { ...answering(has('OPTIONS'), 401), says: /answered 401.*does not name the page/ },
    'accept-post': {
      ...answering(has('OPTIONS'), 200),
      says: /Accept-Post is missing/,
    },
    'cors-session': { ...answering(has('OPTIONS', isSession), 405), says: /405.*lacks PATCH/ },
    'cors-expose': {
      ...inAnswer(without('access-control-expose-headers')),
      says: /lacks location, etag, link/,
    },
    'redirect-codes': {
      ...answering(isOffer, 301, { location: '/elsewhere' }),
      says: /POST is answered 301/,
    },
    'no-publisher': { ...answering(isOffer, 404), says: /404.*Retry-After/, protocol: 'whep' },
    'ice-servers': {
      ...inAnswer(({ headers }) => {
        headers.link = '<http://turn.example.org>; rel="ice-server"';
      }),
      says: /unusable/,
    },
    'preflight-quiet': {
      ...lists('link', '<turn:turn.example.org>; rel="ice-server"', has('OPTIONS')),
      says: /names servers/,
    },
    extensions: {
      ...inAnswer(({ headers }) => {
        headers.link = '<http://[>; rel="urn:ietf:params:whip:ext:example"';
      }),
      says: /no URL/,
    },
    'answer-jsep': { ...inSdp('a=setup:passive', 'a=setup:actpass'), says: /setup of .* is actpass/ },
    direction: { ...inSdp('a=recvonly', 'a=sendrecv'), says: /is sendrecv/ },
    'origin-unique': { ...inSdp(/^o=.*$/gm, 'o=- 1 1 IN IP4 0.0.0.0\r'), says: /4 answers have 1/ },
    'ice-options': { ...inSdp('a=ice-options:ice2 trickle\r\n', ''), says: /missing/ },
    bundle: { ...inSdp(/a=group:BUNDLE .*\r\n/g, 'a=group:BUNDLE 0\r\n'), says: /outside the group/ },
    'rtcp-mux': { ...inSdp('a=rtcp-mux\r\n', ''), says: /lacks it/ },
    'rtcp-mux-only': { ...inSdp('a=rtcp-mux-only\r\n', ''), says: /lacks it/ },
    'one-stream': {
      ...inSdp(/a=msid:\S+ video/g, 'a=msid:another video'),
      says: /name 2 streams/,
      protocol: 'whep',
    },
    'too-many-tracks': {
      request: (request) =>
        request.body.split('m=video').length > 2 ? { status: 406, headers: {}, body: '' } : null,
      says: /answered 406/,
    },
    'no-partial-answers': { says: /unknown codec is answered 201/ },
    'setup-active': { ...answering(isOffer, 415), says: /answered 415/ },
    'simulcast-answer': { ...inSdp('a=simulcast:recv h', 'a=simulcast:recv x'), says: /"x" is no layer/ },
    'weak-fingerprint': { ...answering(isOffer, 201), says: /sha-1 .* answered 201/ },
    'counter-offer': {
      ...answering(
        isOffer,
        406,
        { 'content-type': 'application/sdp' },
        'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=recvonly\r\n',
      ),
      says: /Location is missing.*is recvonly/,
      protocol: 'whep',
    },
    'etag-created': { ...inAnswer(without('etag')), says: /ETag is missing/ },
    'trickle-supported': { ...answering(isPatch, 405), says: /PATCH is answered 405/ },
    'restart-supported': { ...answering(isPatch, 422), says: /answered 422/ },
    'trickle-answer': {
      ...answering(isPatch, 204, { etag: '"one"' }),
      says: /there is an ETag/,
    },
    'odd-candidates': {
      request: (request) =>
        isPatch(request) && request.body.includes('.local') ? { status: 400, headers: {}, body: '' } : null,
      says: /they are answered 400/,
    },
    'patch-type': { ...answering(isPatch, 204), says: /text\/plain is answered 204/ },
    'patch-malformed': { ...answering(isPatch, 204), says: /it is answered 204/ },
    'only-one-of-both': {
      request: (request) =>
        request.headers['if-match'] === '*' ? { status: 405, headers: {}, body: '' } : null,
      says: /not supported is answered 405/,
    },
    'if-match-missing': { ...answering(isPatch, 204), says: /it is answered 204/ },
    'if-match-stale': {
      ...answering(isPatch, 204),
      says: /never was is answered 204.*before a restart is answered 204/,
    },
    'if-match-forms': {
      request: (request) =>
        /^[^"]+$/.test(request.headers['if-match'] ?? '') ? { status: 412, headers: {}, body: '' } : null,
      says: /answered 412/,
    },
    'candidates-in-answer': { ...inSdp(/a=candidate:.*\r\n/g, ''), says: /it has none/ },
    'restart-answer': {
      ...inRestart((response) => {
        response.body = response.body.replaceAll(/a=ice-pwd:.*\r\n|a=candidate:.*\r\n/g, '');
      }),
      says: /ice-pwd is missing.*no candidates/,
    },
    'restart-etag': { ...inRestart(without('etag')), says: /ETag is missing/ },
    'restart-attributes': {
      ...inRestart((response) => {
        response.body = response.body.replace('a=ice-lite\r\n', '');
      }),
      says: /ice-lite was .* and is missing/,
    },
    'restart-works': {
      ...inRestart((response) => {
        response.body = response.body.replace(/a=ice-pwd:.*/, 'a=ice-pwd:0123456789012345678901\r');
      }),
      says: /answered with nothing/,
    },
    'restart-refused': {
      request: (request) => {
        if (!request.body.includes('a=ice-ufrag:x\r\n')) return null;
        request.method = 'DELETE';
        return null;
      },
      says: /old credentials are not answered.*session is gone/,
    },
    'full-ice': { ...moved(nowhere), says: /not reached/ },
    'stun-role-conflict': { ...moved(wrongStun), says: /success.*not authenticated/ },
    'stun-unknown-attribute': { ...moved(wrongStun), says: /answered with success/ },
    'stun-integrity': { ...moved(wrongStun), says: /it is/ },
    media: {
      ...inSdp(/a=fingerprint:sha-256 ../g, 'a=fingerprint:sha-256 00'),
      says: /ICE (?:and|or) DTLS|without ICE transport/,
    },
    'restart-keeps-media': {
      request: (request) => {
        if (request.body.includes('a=ice-ufrag:x\r\n')) request.method = 'DELETE';
        return null;
      },
      says: /no picture came after it/,
      protocol: 'whep',
    },
    delete: { ...answering(has('DELETE'), 202), says: /answered 202.*still stands/ },
    'delete-stops-media': {
      ...answering(has('DELETE'), 200),
      says: /media still comes.*still answered 2xx/,
      protocol: 'whep',
    },
    'delete-ignores-tags': {
      request: (request) =>
        request.headers['if-match'] === '"no-such-tag"' ? { status: 412, headers: {}, body: '' } : null,
      says: /answered 412/,
    },
    'delete-twice': { ...answering(has('DELETE'), 404), says: /answered 404/ },
    'dtls-goodbye': { ...answering(has('GET', isSession), 200), says: /still there/ },
    bearer: { ...answering(isOffer, 400), says: /no token is answered 400.*wrong token is answered 400/ },
    'session-access': { ...answering(has('DELETE'), 200), says: /it is answered 200/ },
    'session-random': {
      request: (request) => {
        const [, kind, feed, id = ''] = request.path.split('/');
        const real = otherSession.get(id);
        if (real !== undefined) request.path = `/${kind}/${feed}/${real}`;
        return null;
      },
      response: (response, request) => {
        if (!isCreated(response, request)) return;
        const real = response.headers.location?.split('/').at(-1) ?? '';
        otherSession.set(String(++session), real);
        response.headers.location = `${request.path}/${session}`;
      },
      says: /at most \d bits/,
    },
    'limit-post': { ...answering(isOffer, 400), says: /all served/ },
    'limit-patch': { ...answering(isPatch, 204), says: /all served/ },
    'limit-delete': { ...answering(has('DELETE'), 404), says: /all served/ },
  };
}
