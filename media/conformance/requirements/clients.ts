/** Requirements of the texts for clients, judged by what a client sent. */
import {
  attributeOf,
  directionOf,
  nameOf,
  type ReadDescription,
  readDescription,
  valuesOf,
} from '../description.ts';
import { fail, notApplicable, type Protocol, type Requirement, unless } from '../requirement.ts';
import { unseenOfClients } from './unseen.ts';

/** A request and its answer. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
  /** Of the answer. */
  readonly etag: string | null;
}

/** One client's requests, in their order. */
export interface ClientRecord {
  readonly protocol: Protocol;
  readonly exchanges: readonly Exchange[];
}

const offersIn = ({ exchanges }: ClientRecord): Exchange[] =>
  exchanges.filter(({ method }) => method === 'POST');
const patchesIn = ({ exchanges }: ClientRecord): Exchange[] =>
  exchanges.filter(({ method }) => method === 'PATCH');

function offerIn(record: ClientRecord): ReadDescription | null {
  const [offer] = offersIn(record);
  return offer === undefined ? null : readDescription(offer.body);
}

/** A check of the offer. */
const inOffer =
  (look: (offer: ReadDescription, record: ClientRecord) => (string | false)[]) => (record: ClientRecord) => {
    const offer = offerIn(record);
    return offer === null ? fail('there was no offer') : unless(look(offer, record));
  };

const typeIn = ({ headers }: Exchange): string =>
  headers['content-type']?.split(';', 1)[0]?.trim() ?? 'missing';

/** Requirements of clients. */
export const clientRequirements: readonly Requirement<ClientRecord>[] = [
  {
    id: 'client-offer',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3' },
    text: 'The client posts an offer as application/sdp',
    look: (record) =>
      unless([
        offersIn(record).length === 0 && 'there was no POST',
        ...offersIn(record).map((offer) => typeIn(offer) !== 'application/sdp' && `it is ${typeIn(offer)}`),
      ]),
  },
  {
    id: 'client-direction',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.5' },
    text: 'Its sections are sendonly (WHIP) or recvonly (WHEP), or sendrecv',
    look: inOffer((offer, { protocol }) => {
      const good = [protocol === 'whip' ? 'sendonly' : 'recvonly', 'sendrecv'];
      return offer.accepted.map(
        (media) => !good.includes(directionOf(media)) && `${nameOf(media)} is ${directionOf(media)}`,
      );
    }),
  },
  {
    id: 'client-one-way',
    level: 'SHOULD',
    sections: { whip: '4.2', whep: '4.3.5' },
    text: 'Its sections are not sendrecv',
    look: inOffer((offer) =>
      offer.accepted.map((media) => directionOf(media) === 'sendrecv' && `${nameOf(media)} is sendrecv`),
    ),
  },
  {
    id: 'client-bundle',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'All its sections are in one BUNDLE group',
    look: inOffer((offer) => {
      const group =
        valuesOf(offer.sdp.attributes, 'group').find((value) => value.startsWith('BUNDLE ')) ?? '';
      return offer.sdp.media.map((media) => {
        const mid = attributeOf(media.attributes, 'mid');
        return (mid === null || !group.split(' ').includes(mid)) && `${nameOf(media)} is outside the group`;
      });
    }),
  },
  {
    id: 'client-rtcp-mux-only',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'Each bundled section has a=rtcp-mux and a=rtcp-mux-only',
    look: inOffer((offer) =>
      offer.accepted.flatMap((media) =>
        ['rtcp-mux', 'rtcp-mux-only'].map(
          (name) => attributeOf(media.attributes, name) === null && `${nameOf(media)} lacks ${name}`,
        ),
      ),
    ),
  },
  {
    id: 'client-one-stream',
    level: 'MUST',
    sections: { whip: '4.4.2' },
    text: 'All sections have an msid of one stream, with at most one track of a kind',
    look: inOffer((offer) => {
      const streams = offer.accepted.map(({ attributes }) => attributeOf(attributes, 'msid')?.split(' ')[0]);
      const kinds = offer.accepted.map(({ kind }) => kind);
      return [
        streams.includes(undefined) && 'a section has no msid',
        new Set(streams).size > 1 && 'the sections name several streams',
        new Set(kinds).size !== kinds.length && 'there are several tracks of one kind',
      ];
    }),
  },
  {
    id: 'client-setup',
    level: 'SHOULD',
    sections: { whip: '4.4.4' },
    text: 'It offers setup:actpass, or active if it can only be the DTLS client',
    look: inOffer((offer) =>
      offer.accepted.map((media) => {
        const setup = attributeOf(media.attributes, 'setup') ?? attributeOf(offer.sdp.attributes, 'setup');
        return (
          setup !== 'actpass' && setup !== 'active' && `${nameOf(media)} has setup ${setup ?? 'missing'}`
        );
      }),
    ),
  },
  {
    id: 'client-full-ice',
    level: 'MUST',
    sections: { whip: '4.4.5', whep: '4.6.3' },
    text: 'It uses full ICE',
    look: inOffer((offer) => [offer.lite && 'the offer is ICE-lite']),
  },
  {
    id: 'client-redirect',
    level: 'MUST',
    sections: { whip: '4.5', whep: '4.7' },
    text: 'It follows a 307 with the same POST',
    look: (record) => {
      const [first, second] = offersIn(record);
      if (first?.status !== 307) return notApplicable('it was not redirected');
      return unless([
        second === undefined && 'no second POST came',
        second !== undefined && second.body !== first.body && 'the second offer is another one',
      ]);
    },
  },
  {
    id: 'client-token',
    level: 'MUST',
    sections: { whip: '4.7.1', whep: '4.9.1' },
    text: 'Its bearer token is in every request, or in none',
    look: ({ exchanges }) => {
      const asking = exchanges.filter(({ method }) => method !== 'OPTIONS');
      const bearing = asking.filter(({ headers }) => /^bearer \S/i.test(headers.authorization ?? ''));
      if (bearing.length === 0) return unless([], 'it has none');
      return unless([
        bearing.length < asking.length && `${asking.length - bearing.length} requests have no token`,
      ]);
    },
  },
  {
    id: 'client-patch-tag',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A PATCH names the tag of its ICE session in If-Match, or * to restart',
    look: (record) => {
      const patches = patchesIn(record).filter((patch) => typeIn(patch) !== 'application/sdp');
      if (patches.length === 0) return notApplicable('it sends all candidates in its offer');
      const tags = record.exchanges.flatMap(({ etag }) => etag ?? []);
      return unless(
        patches.map(({ headers }) => {
          const tag = headers['if-match'];
          return (tag === undefined || ![...tags, '*'].includes(tag)) && `If-Match is ${tag ?? 'missing'}`;
        }),
      );
    },
  },
  {
    id: 'client-patch-type',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'A PATCH is an application/trickle-ice-sdpfrag, or the answer to a counter-offer (WHEP)',
    look: (record) => {
      const patches = patchesIn(record);
      if (patches.length === 0) return notApplicable('it sends all candidates in its offer');
      const good = [
        'application/trickle-ice-sdpfrag',
        ...(record.protocol === 'whep' ? ['application/sdp'] : []),
      ];
      return unless(patches.map((patch) => !good.includes(typeIn(patch)) && `it is ${typeIn(patch)}`));
    },
  },
  {
    id: 'client-extensions',
    level: 'MUST',
    sections: { whip: '4.9', whep: '4.10' },
    text: 'It ignores a Link with an unknown rel, such as the one in this answer, and continues',
    look: ({ exchanges }) => {
      const created = exchanges.findIndex(
        ({ method, status }) => method === 'POST' && (status === 201 || status === 200),
      );
      if (created < 0) return notApplicable('there was no session');
      return unless([exchanges.length === created + 1 && 'nothing came after the answer']);
    },
  },
  {
    id: 'client-delete',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'It ends its session by DELETE',
    look: ({ exchanges }) =>
      unless([!exchanges.some(({ method }) => method === 'DELETE') && 'no DELETE came']),
  },
  {
    id: 'client-delete-tag',
    level: 'SHOULD',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'Its DELETE has no entity tag',
    look: ({ exchanges }) =>
      unless(
        exchanges.map(
          ({ method, headers }) =>
            method === 'DELETE' && headers['if-match'] !== undefined && `If-Match is ${headers['if-match']}`,
        ),
      ),
  },
  ...unseenOfClients,
];
