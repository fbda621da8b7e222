/** Who may do what, and how much of it. */
import type { Lab } from '../lab.ts';
import { makeFragment } from '../offers.ts';
import { fail, notApplicable, type Outcome, type Requirement, unless } from '../requirement.ts';
import { type Answer, SDP } from '../server.ts';

/** So many at once, all the time. */
const AT_ONCE = 20;

/** Sends requests in a row, of which a server with a limit refuses some. */
async function judgeFlood({ patience }: Lab, send: () => Promise<Answer>): Promise<Outcome> {
  const startedMs = performance.now();
  for (let sent = 0; sent < patience.flood; sent += AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, send));
    const limited = answers.find(({ status }) => status === 429 || status === 503);
    if (limited !== undefined) {
      const isDated = limited.headers.get('retry-after') !== null;
      return unless([!isDated && `the ${limited.status} has no Retry-After`]);
    }
  }
  const perSecond = Math.round(patience.flood / ((performance.now() - startedMs) / 1000));
  if (perSecond < patience.floodPerSecond)
    return notApplicable(`only ${perSecond} requests a second got through`);
  return fail(`${patience.flood} requests in a row are all served`);
}

/** Of a session's id, as if each character were random. */
const bitsOf = (id: string): number => id.length * Math.log2(/^[0-9a-f-]+$/.test(id) ? 16 : 62);

/** Requirements of access. */
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
    text: 'A session belongs to its owner: DELETE without a token is refused',
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
      judgeFlood(lab, () => lab.ask({ method: 'POST', headers: { 'content-type': SDP }, body: 'v=0' })),
  },
  {
    id: 'limit-patch',
    level: 'SHOULD',
    sections: { whip: '5', whep: '5' },
    text: 'The rate of PATCHes is limited',
    look: async (lab) => {
      const session = await lab.open();
      return judgeFlood(lab, () => lab.patch(session.url, '*', makeFragment(session.ice)));
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
      return judgeFlood(lab, () => lab.askAt(guessed, { method: 'DELETE' }));
    },
  },
];
