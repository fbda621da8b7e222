/** Who may do what, and how much of it. */
import type { Lab } from '../lab.ts';
import { makeFragment } from '../offers.ts';
import { notApplicable, type Requirement, unless } from '../requirement.ts';
import { type Answer, SDP } from '../server.ts';

/** Requests in a row without a pause, of which a server with a limit refuses some. */
const FLOOD = 500;
const AT_ONCE = 20;

/** Sends requests until one is refused for their number; null where none was. */
async function flood(send: () => Promise<Answer>): Promise<Answer | null> {
  for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, send));
    const limited = answers.find(({ status }) => status === 429 || status === 503);
    if (limited !== undefined) return limited;
  }
  return null;
}

const judge = (limited: Answer | null) =>
  unless([
    limited === null && `${FLOOD} requests in a row are all served`,
    limited !== null &&
      limited.headers.get('retry-after') === null &&
      `the ${limited.status} has no Retry-After`,
  ]);

/** Of a session's id, as if each character were random. */
const bitsOf = (id: string): number => id.length * Math.log2(/^[0-9a-f-]+$/.test(id) ? 16 : 62);

export const accessRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'bearer',
    level: 'MUST',
    sections: { whip: '4.7', whep: '4.9' },
    text: 'Bearer tokens are supported: without one, or with a wrong one, 401 with WWW-Authenticate (or 403)',
    look: async (lab) => {
      if (lab.endpoint.token === null)
        return notApplicable('the server was looked at without a token (--token)');
      const [none, wrong] = [
        await lab.post('', { token: null }),
        await lab.post('', { token: 'this-is-no-token' }),
      ];
      return unless([
        none.status !== 401 && `no token is answered ${none.status}`,
        none.status === 401 && none.headers.get('www-authenticate') === null && 'WWW-Authenticate is missing',
        ![401, 403].includes(wrong.status) && `a wrong token is answered ${wrong.status}`,
      ]);
    },
  },
  {
    id: 'session-access',
    level: 'PRACTICE',
    sections: { whip: '5', whep: '5' },
    text: "A session is nobody's but its owner's: DELETE without a token is refused",
    look: async (lab) => {
      if (lab.endpoint.token === null)
        return notApplicable('the server was looked at without a token (--token)');
      const { url } = await lab.open();
      const answer = await lab.askAt(url, { method: 'DELETE', token: null });
      return unless([answer.status < 400 && `it is answered ${answer.status}`]);
    },
  },
  {
    id: 'session-random',
    level: 'SHOULD',
    sections: { whip: '5', whep: '5' },
    text: 'URLs of sessions cannot be guessed: at least 100 random bits',
    look: async (lab) => {
      const [one, other] = [await lab.open(), await lab.open()];
      const id = (url: string): string => new URL(url).pathname.split('/').at(-1) ?? '';
      const bits = Math.floor(bitsOf(id(one.url)));
      return unless([
        one.url === other.url && 'two sessions have one URL',
        bits < 100 && `an id has at most ${bits} bits`,
      ]);
    },
  },
  {
    id: 'https',
    level: 'MUST',
    sections: { whip: '5', whep: '5' },
    text: 'HTTPS is used',
    look: ({ endpoint }) => {
      const { protocol, hostname } = new URL(endpoint.url);
      if (protocol === 'https:') return unless([]);
      if (/^(localhost|127\.|\[::1\])/.test(hostname))
        return notApplicable('the server was looked at on this machine');
      return unless(['the URL is http:']);
    },
  },
  {
    id: 'limit-post',
    level: 'SHOULD',
    sections: { whip: '5', whep: '5' },
    text: 'The rate of POSTs is limited',
    look: async (lab) =>
      judge(await flood(() => lab.ask({ method: 'POST', headers: { 'content-type': SDP }, body: 'v=0' }))),
  },
  {
    id: 'limit-patch',
    level: 'SHOULD',
    sections: { whip: '5', whep: '5' },
    text: 'The rate of PATCHes is limited',
    look: async (lab) => {
      const session = await lab.open();
      return judge(await flood(() => lab.patch(session.url, '*', makeFragment(session.ice))));
    },
  },
  {
    id: 'limit-delete',
    level: 'SHOULD',
    sections: { whip: '5', whep: '5' },
    text: 'The rate of DELETEs is limited',
    look: async (lab) => {
      const { url } = await lab.open();
      const guessed = url.replace(/[^/]+$/, 'guessed');
      return judge(await flood(() => lab.askAt(guessed, { method: 'DELETE' })));
    },
  },
];
