/** Trickle ICE, restarts, and the checks themselves. */
import { candidatesIn, lineIn } from '../description.ts';
import type { Lab, OpenedSession } from '../lab.ts';
import { createIce, makeFragment } from '../offers.ts';
import { fail, notApplicable, type Requirement, unless } from '../requirement.ts';
import { type Answer, FRAGMENT, isGood, isRefused, typeOf } from '../server.ts';
import { StunProbe } from '../stun-probe.ts';

const candidate = '1 1 udp 2122260223 192.0.2.1 61764 typ host';
/** What servers may be unable to use. */
const oddCandidates = [
  '2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
  '3 1 udp 2122194687 8f6b1b1e-7a3e-4b5c-9d7e-2f6a1c0b9e8d.local 61765 typ host',
  '4 1 udp 2122194687 2001:db8::1 61765 typ host',
  '5 1 udp 2122194687 name.invalid 61765 typ host',
];

const trickle = (
  lab: Lab,
  session: OpenedSession,
  ifMatch: string | null,
  candidates = [candidate],
): Promise<Answer> => lab.patch(session.url, ifMatch, makeFragment(session.ice, candidates));

/** A restart with new credentials. */
async function restart(lab: Lab, session: OpenedSession, ifMatch = '*') {
  const ice = createIce();
  const answer = await lab.patch(session.url, ifMatch, makeFragment(ice, [candidate]));
  return { ice, answer };
}

/** Options have no order. */
const inOrder = (text: string, name: string): string | null =>
  lineIn(text, name)?.split(/[ ,]+/).sort().join(' ') ?? null;

const noRestarts = ({ status }: Answer) =>
  notApplicable(`the server makes no ICE restarts: it answers ${status}`);

export const iceRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'etag-created',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'The 201 has a strong ETag for the ICE session, if restarts are supported',
    look: async (lab) => {
      const session = await lab.open();
      const { answer } = await restart(lab, session);
      if (session.etag === '' && !isGood(answer)) return noRestarts(answer);
      return unless([
        session.etag === '' && 'ETag is missing',
        session.etag.startsWith('W/') && `the tag is weak: ${session.etag}`,
        session.etag !== '' &&
          !/^(W\/)?"[^"]*"$/.test(session.etag) &&
          `the tag has no quotes: ${session.etag}`,
      ]);
    },
  },
  {
    id: 'trickle-supported',
    level: 'SHOULD',
    sections: { whip: '4.3', whep: '4.5' },
    text: 'Trickle ICE is supported',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await trickle(lab, session, session.etag);
      return unless([!isGood(answer) && `PATCH is answered ${answer.status}`]);
    },
  },
  {
    id: 'restart-supported',
    level: 'SHOULD',
    sections: { whip: '4.3', whep: '4.5' },
    text: 'ICE restarts are supported',
    look: async (lab) => {
      const { answer } = await restart(lab, await lab.open());
      return unless([!isGood(answer) && `PATCH with new credentials is answered ${answer.status}`]);
    },
  },
  {
    id: 'trickle-answer',
    level: 'MUST',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'A PATCH that only adds candidates is answered 204 without body and without ETag',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await trickle(lab, session, session.etag);
      if (answer.status === 422) return notApplicable('the server takes no candidates: 422');
      return unless([
        answer.status !== 204 && `it is answered ${answer.status}`,
        answer.body !== '' && 'there is a body',
        answer.headers.get('etag') !== null && 'there is an ETag',
      ]);
    },
  },
  {
    id: 'odd-candidates',
    level: 'MUST',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'Candidates that the server cannot use (TCP, names, IPv6) are dropped in silence, and the rest counts',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await trickle(lab, session, session.etag, [...oddCandidates, candidate]);
      if (answer.status === 422) return notApplicable('the server takes no candidates: 422');
      return unless([answer.status !== 204 && `they are answered ${answer.status}`]);
    },
  },
  {
    id: 'patch-type',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A PATCH of another content type is refused with a 4xx',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await lab.patch(
        session.url,
        session.etag,
        makeFragment(session.ice, [candidate]),
        'text/plain',
      );
      return unless([!isRefused(answer) && `a fragment as text/plain is answered ${answer.status}`]);
    },
  },
  {
    id: 'patch-malformed',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A malformed fragment is refused with a 4xx',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await lab.patch(session.url, session.etag, 'this is no fragment');
      return unless([!isRefused(answer) && `it is answered ${answer.status}`]);
    },
  },
  {
    id: 'only-one-of-both',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A server with either trickle or restarts, but not both, answers the other with 422',
    look: async (lab) => {
      const session = await lab.open();
      const trickled = await trickle(lab, session, session.etag);
      const { answer: restarted } = await restart(lab, session);
      if (isGood(trickled) === isGood(restarted))
        return notApplicable(isGood(trickled) ? 'both are supported' : 'neither is supported');
      const { status } = isGood(trickled) ? restarted : trickled;
      return unless([status !== 422 && `what is not supported is answered ${status}`]);
    },
  },
  {
    id: 'if-match-missing',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A PATCH without If-Match is answered 428',
    look: async (lab) => {
      const session = await lab.open();
      if (session.etag === '') return notApplicable('the server uses no entity tags');
      const answer = await trickle(lab, session, null);
      return unless([answer.status !== 428 && `it is answered ${answer.status}`]);
    },
  },
  {
    id: 'if-match-stale',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A PATCH whose If-Match is not the current tag is answered 412',
    look: async (lab) => {
      const session = await lab.open();
      if (session.etag === '') return notApplicable('the server uses no entity tags');
      const wrong = await trickle(lab, session, '"no-such-tag"');
      const { answer } = await restart(lab, session);
      const stale = isGood(answer) ? await trickle(lab, session, session.etag) : null;
      return unless([
        wrong.status !== 412 && `a tag that never was is answered ${wrong.status}`,
        stale !== null && stale.status !== 412 && `the tag from before a restart is answered ${stale.status}`,
      ]);
    },
  },
  {
    id: 'if-match-forms',
    level: 'PRACTICE',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: "The current tag counts without its quotes (clients leave them out) and weak (proxies that compress make it so); * counts on plain trickle, and in quotes, as the texts' own example has it",
    look: async (lab) => {
      const session = await lab.open();
      if (session.etag === '') return notApplicable('the server uses no entity tags');
      const faults: (string | false)[] = [];
      for (const tag of [session.etag.replaceAll('"', ''), `W/${session.etag}`, '*', '"*"']) {
        const answer = await trickle(lab, session, tag);
        faults.push(
          !isGood(answer) &&
            `If-Match: ${tag === '*' || tag === '"*"' ? tag : tag.replace(/[^"W/]+/, '…')} is answered ${answer.status}`,
        );
      }
      return unless(faults);
    },
  },
  {
    id: 'candidates-in-answer',
    level: 'MUST',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'The answer has all candidates of the server',
    look: async (lab) => {
      const { description } = await lab.open();
      return unless([!/^a=candidate:/m.test(description.text) && 'it has none']);
    },
  },
  {
    id: 'restart-answer',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'New credentials are a restart: 200 with an application/trickle-ice-sdpfrag body that has new credentials and candidates',
    look: async (lab) => {
      const session = await lab.open();
      const { answer } = await restart(lab, session);
      if (!isGood(answer)) return noRestarts(answer);
      const ufrag = lineIn(answer.body, 'ice-ufrag');
      return unless([
        answer.status !== 200 && `it is answered ${answer.status}`,
        typeOf(answer) !== FRAGMENT && `Content-Type is ${typeOf(answer) || 'missing'}`,
        ufrag === null && 'ice-ufrag is missing',
        lineIn(answer.body, 'ice-pwd') === null && 'ice-pwd is missing',
        ufrag === session.description.ufrag && 'ice-ufrag is the old one',
        candidatesIn(answer.body).length === 0 && 'there are no candidates',
      ]);
    },
  },
  {
    id: 'restart-etag',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'The answer to a restart has a new ETag',
    look: async (lab) => {
      const session = await lab.open();
      const { answer } = await restart(lab, session);
      if (!isGood(answer)) return noRestarts(answer);
      const etag = answer.headers.get('etag');
      return unless([etag === null && 'ETag is missing', etag === session.etag && 'it is the old one']);
    },
  },
  {
    id: 'restart-attributes',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'The answer to a restart has the same ice-options, ice-pacing and ice-lite as the first answer',
    look: async (lab) => {
      const session = await lab.open();
      const { answer } = await restart(lab, session);
      if (!isGood(answer)) return noRestarts(answer);
      return unless(
        ['ice-options', 'ice-pacing', 'ice-lite'].map((name) => {
          const [first, now] = [inOrder(session.description.text, name), inOrder(answer.body, name)];
          return first !== now && `${name} was ${first ?? 'missing'} and is ${now ?? 'missing'}`;
        }),
      );
    },
  },
  {
    id: 'restart-works',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'Checks with the credentials of the restart are answered',
    look: async (lab) => {
      const session = await lab.open();
      const { ice, answer } = await restart(lab, session);
      if (!isGood(answer)) return noRestarts(answer);
      const theirs = {
        ufrag: lineIn(answer.body, 'ice-ufrag') ?? '',
        pwd: lineIn(answer.body, 'ice-pwd') ?? '',
      };
      await using probe = await new StunProbe(ice).open();
      const checked = await probe.check(theirs, session.description.candidates);
      return unless([checked?.kind !== 'success' && `they are answered with ${checked?.code ?? 'nothing'}`]);
    },
  },
  {
    id: 'restart-refused',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'A restart that cannot be done is answered with an error, and the session goes on as it was',
    look: async (lab) => {
      const session = await lab.open();
      const answer = await lab.patch(session.url, '*', makeFragment({ ufrag: 'x', pwd: 'short' }));
      await using probe = await new StunProbe(session.ice).open();
      const { description, url } = session;
      const checked = await probe.check(description, description.candidates);
      const there = await lab.askAt(url, { method: 'GET' });
      return unless([
        isGood(answer) && `credentials that are too short are answered ${answer.status}`,
        checked?.kind !== 'success' && 'checks with the old credentials are not answered any more',
        there.status === 404 && 'the session is gone',
      ]);
    },
  },
  {
    id: 'full-ice',
    level: 'SHOULD',
    sections: { whip: '4.4.5', whep: '4.6.3' },
    text: 'The media server has full ICE, or is reached by its clients at the addresses it names',
    look: async (lab) => {
      const { description, ice } = await lab.open();
      if (!description.lite) return unless([]);
      await using probe = await new StunProbe(ice).open();
      const checked = await probe.check(description, description.candidates);
      return checked?.kind === 'success'
        ? unless([], 'ICE-lite, reached at the address it names')
        : fail('ICE-lite, and not reached from here');
    },
  },
  {
    id: 'stun-role-conflict',
    level: 'MUST',
    sections: { whip: '4.3', whep: '4.5' },
    text: "A check in the server's own role is answered 487, authenticated (RFC 8445, section 7.3.1.1)",
    look: async (lab) => {
      const { description, ice } = await lab.open();
      await using probe = await new StunProbe(ice).open();
      const checked = await probe.check(description, description.candidates, { role: 'controlled' });
      return unless([
        checked?.code !== 487 &&
          `it is answered with ${checked === null ? 'nothing' : checked.code || 'success'}`,
        checked !== null && !checked.authentic && 'the answer is not authenticated',
      ]);
    },
  },
  {
    id: 'stun-unknown-attribute',
    level: 'MUST',
    sections: { whip: '4.3', whep: '4.5' },
    text: 'A check with an attribute that has to be understood and is not known is answered 420 with its type (RFC 8489, section 6.3.1)',
    look: async (lab) => {
      const { description, ice } = await lab.open();
      await using probe = await new StunProbe(ice).open();
      const more = [[0x7f01, Buffer.alloc(4)]] as const;
      const checked = await probe.check(description, description.candidates, { more });
      return unless([
        checked?.code !== 420 &&
          `it is answered with ${checked === null ? 'nothing' : checked.code || 'success'}`,
        checked?.code === 420 && !checked.unknown.includes(0x7f01) && 'the answer does not name the type',
      ]);
    },
  },
  {
    id: 'stun-integrity',
    level: 'MUST',
    sections: { whip: '4.3', whep: '4.5' },
    text: 'A check with a wrong password is not answered with success (RFC 8489, section 9.1.3)',
    look: async (lab) => {
      const { description, ice } = await lab.open();
      await using probe = await new StunProbe(ice).open();
      const checked = await probe.check(description, description.candidates, { password: createIce().pwd });
      return unless([checked?.kind === 'success' && 'it is']);
    },
  },
];
