/** Requirements that cannot be seen from outside: listed for completeness, and not judged. */
import { notApplicable, type Requirement } from '../requirement.ts';

type Part = Requirement<unknown>;
type Row = readonly [id: Part['id'], level: Part['level'], sections: Part['sections'], text: Part['text']];

const because = 'it cannot be seen from outside';
const unseen = ([id, level, sections, text]: Row): Part => ({
  id,
  level,
  sections,
  text,
  unseen: true,
  look: () => notApplicable(because),
});

const trickle = { whip: '4.3.2', whep: '4.5.2' };
const restarts = { whip: '4.3.3', whep: '4.5.3' };

const servers: readonly Row[] = [
  [
    'restart-keeps-description',
    'MUST',
    restarts,
    'Everything negotiated besides ICE still holds after a restart',
  ],
  [
    'restart-replaces-candidates',
    'MUST',
    restarts,
    'The candidates of a restart replace those from before it',
  ],
  [
    'extensions-optional',
    'MUST',
    { whip: '4.9', whep: '4.10' },
    'No extension is needed to use the server: the checks use none',
  ],
];

const clients: readonly Row[] = [
  [
    'client-statuses',
    'MUST',
    { whip: '4.1', whep: '4.1' },
    'It relies only on the general meaning of a status, and treats unknown ones as the n00 of their class',
  ],
  ['client-codecs', 'SHOULD', { whep: '4.3.6' }, 'It offers as many of its codecs as possible'],
  ['client-offers-soon', 'SHOULD', trickle, 'With trickle ICE, it offers without waiting for candidates'],
  [
    'client-buffers',
    'MUST',
    trickle,
    'It holds candidates back until it has the answer to its offer or to its last restart',
  ],
  ['client-aggregates', 'SHOULD', trickle, 'It sends the candidates that it held back in one PATCH'],
  [
    'client-restart-order',
    'MUST',
    restarts,
    'It uses only the answer to its last restart, and restarts again if the two sides no longer agree',
  ],
  [
    'client-ice-servers',
    'SHOULD',
    { whip: '4.6' },
    'It takes STUN and TURN servers from the answer to its POST, not from OPTIONS',
  ],
];

/** Requirements of servers that the suite cannot see. */
export const unseenOfServers: readonly Requirement<unknown>[] = servers.map(unseen);

/** Requirements of clients that the suite cannot see. */
export const unseenOfClients: readonly Requirement<unknown>[] = clients.map(unseen);
