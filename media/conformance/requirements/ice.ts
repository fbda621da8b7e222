/** Trickle ICE, and the entity tags of ICE sessions. */
import type { Lab } from '../lab.ts';
import { makeFragment } from '../offers.ts';
import { notApplicable, type Requirement, unless } from '../requirement.ts';
import { isGood, isRefused } from '../server.ts';
import { candidate, noRestarts, restart, trickle } from './patches.ts';

/** What servers may be unable to use. */
const oddCandidates = [
  '2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
  '3 1 udp 2122194687 8f6b1b1e-7a3e-4b5c-9d7e-2f6a1c0b9e8d.local 61765 typ host',
  '4 1 udp 2122194687 2001:db8::1 61765 typ host',
  '5 1 udp 2122194687 name.invalid 61765 typ host',
];

/** Requirements of ICE. */
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
    text: 'Candidates that the server cannot use (TCP, names, IPv6) are silently dropped, and the rest is used',
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
    text: 'The current tag is accepted without quotes (clients omit them) and as a weak tag (from proxies that compress); * is accepted on plain trickle, and in quotes, as in the example of the texts',
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
];
