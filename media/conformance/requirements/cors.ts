/** Pages of other origins (CORS), and what OPTIONS says. */
import type { Lab } from '../lab.ts';
import { makeOffer } from '../offers.ts';
import { type Requirement, unless } from '../requirement.ts';
import { type Answer, isGood, listed, SDP } from '../server.ts';

const preflight = (method: string) => ({
  method: 'OPTIONS',
  token: null,
  headers: {
    origin: 'https://player.example.org',
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type,if-match',
  },
});

/** What keeps a page of another origin from doing what it asked for. */
function faultsOfPreflight(answer: Answer, method: string, headers: readonly string[]): (string | false)[] {
  const allows = (name: string, value: string): boolean => {
    const values = listed(answer, name);
    return values.includes('*') || values.includes(value.toLowerCase());
  };
  const origin = answer.headers.get('access-control-allow-origin');
  const refused = headers.filter(
    (name) =>
      !listed(answer, 'access-control-allow-headers').includes(name) &&
      (name === 'authorization' || !allows('access-control-allow-headers', name)),
  );
  return [
    !isGood(answer) && `the preflight is answered ${answer.status}`,
    origin !== '*' &&
      origin !== 'https://player.example.org' &&
      'Access-Control-Allow-Origin does not name the page',
    !['GET', 'HEAD', 'POST'].includes(method) &&
      !allows('access-control-allow-methods', method) &&
      `Access-Control-Allow-Methods lacks ${method}`,
    refused.length > 0 && `Access-Control-Allow-Headers lacks ${refused.join(', ')}`,
  ];
}

/** Requirements of CORS. */
export const corsRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'cors-endpoint',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'The endpoint answers OPTIONS, so that pages of other origins can post (CORS), without asking for a token',
    look: async (lab) => {
      const answer = await lab.ask(preflight('POST'));
      return unless(faultsOfPreflight(answer, 'POST', ['authorization', 'content-type']));
    },
  },
  {
    id: 'accept-post',
    level: 'SHOULD',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'The answer to OPTIONS has Accept-Post: application/sdp',
    look: async (lab) => {
      const answer = await lab.ask({ method: 'OPTIONS' });
      return unless([
        answer.status !== 200 && `OPTIONS is answered ${answer.status}`,
        !listed(answer, 'accept-post').includes(SDP) &&
          `Accept-Post is ${answer.headers.get('accept-post') ?? 'missing'}`,
      ]);
    },
  },
  {
    id: 'cors-session',
    level: 'PRACTICE',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'Pages of other origins can trickle to a session and end it: its preflight allows PATCH and DELETE',
    look: async (lab) => {
      const { url } = await lab.open();
      const faults: (string | false)[] = [];
      for (const method of ['PATCH', 'DELETE']) {
        const answer = await lab.askAt(url, preflight(method));
        faults.push(...faultsOfPreflight(answer, method, ['authorization', 'content-type', 'if-match']));
      }
      return unless([...new Set(faults)]);
    },
  },
  {
    id: 'cors-expose',
    level: 'PRACTICE',
    sections: { whip: '4.2', whep: '4.3.1' },
    text: 'Pages of other origins can read Location, ETag and Link of an answer',
    look: async (lab) => {
      const { sdp } = makeOffer(lab.protocol);
      const answer = await lab.post(sdp, { headers: { origin: 'https://player.example.org' } });
      const shown = listed(answer, 'access-control-expose-headers');
      const lacks = ['location', 'etag', 'link'].filter(
        (name) => !shown.includes('*') && !shown.includes(name),
      );
      return unless([
        answer.status !== 201 && `POST is answered ${answer.status}`,
        answer.headers.get('access-control-allow-origin') === null &&
          'Access-Control-Allow-Origin is missing',
        lacks.length > 0 && `Access-Control-Expose-Headers lacks ${lacks.join(', ')}`,
      ]);
    },
  },
  {
    id: 'preflight-quiet',
    level: 'SHOULD',
    sections: { whip: '4.6' },
    text: 'A CORS preflight is not answered with STUN and TURN servers',
    look: async (lab) => {
      const links = (await lab.ask(preflight('POST'))).headers.get('link') ?? '';
      return unless([/rel="?ice-server/.test(links) && 'the preflight names servers']);
    },
  },
];
