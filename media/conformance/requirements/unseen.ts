/** What the texts ask for and nobody sees from outside: named, so that nothing is left out, and not judged. */
import { notApplicable, type Requirement } from '../requirement.ts';

type Unseen = Pick<Requirement<unknown>, 'id' | 'level' | 'sections' | 'text'>;

const because = 'it cannot be seen from outside';
const unseen = (one: Unseen): Requirement<unknown> => ({
  ...one,
  unseen: true,
  look: () => notApplicable(because),
});

/** Requirements of servers that the suite cannot see. */
export const unseenOfServers: readonly Requirement<unknown>[] = [
  unseen({
    id: 'restart-keeps-description',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'What was agreed besides ICE still holds after a restart',
  }),
  unseen({
    id: 'restart-replaces-candidates',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'The candidates of a restart replace those from before it',
  }),
  unseen({
    id: 'extensions-optional',
    level: 'MUST',
    sections: { whip: '4.9', whep: '4.10' },
    text: 'No extension is needed to use the server: the looks use none',
  }),
];

/** Requirements of clients that the suite cannot see. */
export const unseenOfClients: readonly Requirement<unknown>[] = [
  unseen({
    id: 'client-statuses',
    level: 'MUST',
    sections: { whip: '4.1', whep: '4.1' },
    text: 'It reads nothing into a status but its general meaning, and takes unknown ones as the n00 of their class',
  }),
  unseen({
    id: 'client-codecs',
    level: 'SHOULD',
    sections: { whep: '4.3.6' },
    text: 'It offers as many of its codecs as possible',
  }),
  unseen({
    id: 'client-offers-soon',
    level: 'SHOULD',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'With trickle ICE, it offers without waiting for candidates',
  }),
  unseen({
    id: 'client-buffers',
    level: 'MUST',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'It keeps candidates until the answer to its offer, or to its last restart, is there',
  }),
  unseen({
    id: 'client-aggregates',
    level: 'SHOULD',
    sections: { whip: '4.3.2', whep: '4.5.2' },
    text: 'It sends the candidates that it kept in one PATCH',
  }),
  unseen({
    id: 'client-restart-order',
    level: 'MUST',
    sections: { whip: '4.3.3', whep: '4.5.3' },
    text: 'It uses only the answer to its last restart, and restarts again if the two sides no longer agree',
  }),
  unseen({
    id: 'client-ice-servers',
    level: 'SHOULD',
    sections: { whip: '4.6' },
    text: 'It takes STUN and TURN servers from the answer to its POST, not from OPTIONS',
  }),
];
