/** ICE restarts. */
import { candidatesIn, lineIn } from '../description.ts';
import type { Lab } from '../lab.ts';
import { makeFragment } from '../offers.ts';
import { type Requirement, unless } from '../requirement.ts';
import { FRAGMENT, isGood, typeOf } from '../server.ts';
import { StunProbe } from '../stun-probe.ts';
import { noRestarts, restart } from './patches.ts';

/** Options have no order. */
const inOrder = (text: string, name: string): string | null =>
  lineIn(text, name)?.split(/[ ,]+/).sort().join(' ') ?? null;

/** Requirements of ICE restarts. */
export const restartRequirements: readonly Requirement<Lab>[] = [
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
    text: 'A restart that cannot be done is answered with an error, and the session continues unchanged',
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
];
