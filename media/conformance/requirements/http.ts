/** Endpoint and session as HTTP resources. */
import type { Lab } from '../lab.ts';
import { makeOffer } from '../offers.ts';
import { fail, notApplicable, pass, type Requirement, unless } from '../requirement.ts';
import { type Answer, isGood, isRefused, SDP, typeOf } from '../server.ts';

function faultsOfEmpty(answer: Answer, what: string): (string | false)[] {
  return [
    !isGood(answer) && `GET on the ${what} is answered ${answer.status}`,
    answer.body !== '' && `GET on the ${what} has a body of ${answer.body.length} characters`,
  ];
}

/** Requirements of HTTP. */
export const httpRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'get-endpoint',
    level: 'MUST',
    sections: { whip: '4.1', whep: '4.1' },
    text: 'GET on the endpoint is answered 2xx without content',
    look: async (lab) => unless(faultsOfEmpty(await lab.ask({ method: 'GET' }), 'endpoint')),
  },
  {
    id: 'get-session',
    level: 'MUST',
    sections: { whip: '4.1', whep: '4.1' },
    text: 'GET on a session is answered 2xx without content',
    look: async (lab) => {
      const { url } = await lab.open();
      return unless(faultsOfEmpty(await lab.askAt(url, { method: 'GET' }), 'session'));
    },
  },
  {
    id: 'head-type',
    level: 'SHOULD',
    sections: { whep: '4.2' },
    text: 'HEAD on the endpoint is answered 200 with Content-Type application/sdp, so that players know what the URL is',
    look: async (lab) => {
      const answer = await lab.ask({ method: 'HEAD' });
      return unless([
        answer.status !== 200 && `HEAD is answered ${answer.status}`,
        typeOf(answer) !== SDP && `its Content-Type is ${typeOf(answer) || 'missing'}`,
      ]);
    },
  },
  {
    id: 'head-like-get',
    level: 'MUST',
    sections: { whep: '4.2' },
    text: 'HEAD has the header fields that GET has, and no body',
    look: async (lab) => {
      const [head, get] = [await lab.ask({ method: 'HEAD' }), await lab.ask({ method: 'GET' })];
      return unless([
        head.body !== '' && 'HEAD has a body',
        head.status !== get.status && `HEAD is answered ${head.status}, GET ${get.status}`,
        typeOf(head) !== typeOf(get) &&
          `Content-Type is "${typeOf(head)}" for HEAD and "${typeOf(get)}" for GET`,
      ]);
    },
  },
  {
    id: 'post-created',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.1' },
    text: 'An offer is answered 201 with an application/sdp answer and a Location',
    look: async (lab) => {
      const answer = await lab.offer();
      return unless([
        answer.status !== 201 && `POST is answered ${answer.status}`,
        typeOf(answer) !== SDP && `Content-Type is ${typeOf(answer) || 'missing'}`,
        !answer.body.startsWith('v=0') && 'the body is no session description',
        answer.headers.get('location') === null && 'Location is missing',
      ]);
    },
  },
  {
    id: 'post-type',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.4' },
    text: 'A POST of another content type than application/sdp is refused with a 4xx',
    look: async (lab) => {
      const { sdp } = makeOffer(lab.protocol);
      const answer = await lab.post(sdp, { headers: { 'content-type': 'text/plain' } });
      return unless([!isRefused(answer) && `an offer as text/plain is answered ${answer.status}`]);
    },
  },
  {
    id: 'post-malformed',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.4' },
    text: 'A malformed description is refused with a 4xx',
    look: async (lab) => {
      const whole = makeOffer(lab.protocol).sdp;
      const faults: (string | false)[] = [];
      for (const [what, body] of [
        ['text that is no description', 'this is no session description'],
        ['an empty body', ''],
        ['a description without media', `${whole.slice(0, whole.indexOf('m='))}`],
        ['a description without ICE credentials', whole.replaceAll(/a=ice-(ufrag|pwd):.*\r\n/g, '')],
        ['a description without a fingerprint', whole.replaceAll(/a=fingerprint:.*\r\n/g, '')],
      ] as const) {
        const answer = await lab.post(body);
        faults.push(!isRefused(answer) && `${what} is answered ${answer.status}`);
      }
      return unless(faults);
    },
  },
  {
    id: 'redirect-codes',
    level: 'MUST',
    sections: { whip: '4.5', whep: '4.7' },
    text: 'A POST is never redirected with 301 or 302',
    look: async (lab) => {
      const { status } = await lab.offer();
      if (status < 300 || status > 399) return notApplicable('the server does not redirect');
      return status === 301 || status === 302 ? fail(`POST is answered ${status}`) : pass();
    },
  },
  {
    id: 'no-publisher',
    level: 'MUST',
    sections: { whep: '4.3.8' },
    text: 'If there is no publisher and the server needs one, it answers 409 with Retry-After',
    look: async (lab) => {
      if (lab.emptyUrl === null) return notApplicable('no URL without a publisher is known (--empty)');
      const { sdp } = makeOffer(lab.protocol);
      const answer = await lab.askAt(lab.emptyUrl, {
        method: 'POST',
        headers: { 'content-type': SDP },
        body: sdp,
      });
      if (isGood(answer)) {
        const location = answer.headers.get('location');
        if (location !== null) await lab.askAt(new URL(location, lab.emptyUrl).href, { method: 'DELETE' });
        return notApplicable('the server takes viewers before there is a publisher');
      }
      return unless([
        answer.status !== 409 && `POST is answered ${answer.status}`,
        !/^\d+$/.test(answer.headers.get('retry-after') ?? '') &&
          'Retry-After does not name a number of seconds',
      ]);
    },
  },
  {
    id: 'ice-servers',
    level: 'MUST',
    sections: { whip: '4.6', whep: '4.8' },
    text: 'STUN and TURN servers are named by Link with rel="ice-server" and a stun:, turn: or turns: URI',
    look: async (lab) => {
      const links = (await lab.offer()).headers.get('link') ?? '';
      const servers = links.split(/,\s*(?=<)/).filter((link) => /rel="?ice-server/.test(link));
      if (servers.length === 0) return notApplicable('the server names no STUN or TURN server');
      return unless(servers.map((link) => !/^<(stuns?|turns?):[^>]+>/.test(link) && `unusable: ${link}`));
    },
  },
  {
    id: 'extensions',
    level: 'MUST',
    sections: { whip: '4.9', whep: '4.10' },
    text: 'Each extension is announced in the 201 by a Link with its URN as rel and a URL',
    look: async (lab) => {
      const { answer } = await lab.open();
      const links = (answer.headers.get('link') ?? '').split(/,\s*(?=<)/);
      const extensions = links.filter((link) => link.includes(`urn:ietf:params:${lab.protocol}:ext`));
      if (extensions.length === 0) return notApplicable('the server announces no extension');
      return unless(
        extensions.map((link) => {
          const [, target = ''] = /^<([^>]*)>/.exec(link) ?? [];
          return !URL.canParse(target, lab.endpoint.url) && `no URL: ${link}`;
        }),
      );
    },
  },
];
