/** What is in the answers (JSEP, BUNDLE, one stream). */
import { attributeOf, directionOf, lineIn, nameOf, readDescription, valuesOf } from '../description.ts';
import type { Lab } from '../lab.ts';
import { hexPairs } from '../offers.ts';
import { notApplicable, type Requirement, unless } from '../requirement.ts';
import { isGood, isRefused } from '../server.ts';

/** Requirements of answers. */
export const answerRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'answer-jsep',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.1' },
    text: 'The answer follows JSEP: the sections of the offer in their order, formats that were offered, ICE, DTLS and a setup role for each',
    look: async (lab) => {
      const { offer, description } = await lab.open();
      const offered = readDescription(offer).sdp.media;
      const answered = description.sdp.media;
      const faults: (string | false)[] = [
        offered.length !== answered.length && `${answered.length} sections answer ${offered.length}`,
        !/^o=\S+ \d+ \d+ IN IP[46] \S+$/m.test(description.text.replaceAll('\r', '')) &&
          'the o= line is malformed',
        !/^t=0 0\r?$/m.test(description.text) && 't=0 0 is missing',
      ];
      answered.forEach((media, i) => {
        const asked = offered[i];
        const name = nameOf(media);
        faults.push(
          media.kind !== asked?.kind && `${name} answers ${asked?.kind ?? 'nothing'}`,
          attributeOf(media.attributes, 'mid') !== attributeOf(asked?.attributes ?? [], 'mid') &&
            `${name} has another mid`,
        );
        if (!description.accepted.includes(media)) return;
        const foreign = media.formats.filter((format) => !asked?.formats.includes(format));
        const has = (attribute: string): boolean =>
          (attributeOf(media.attributes, attribute) ?? attributeOf(description.sdp.attributes, attribute)) !==
          null;
        const setup =
          attributeOf(media.attributes, 'setup') ??
          attributeOf(description.sdp.attributes, 'setup') ??
          'missing';
        faults.push(
          foreign.length > 0 && `${name} has formats that were not offered: ${foreign.join(' ')}`,
          ...['ice-ufrag', 'ice-pwd', 'fingerprint'].map(
            (needed) => !has(needed) && `${name} lacks ${needed}`,
          ),
          setup !== 'active' && setup !== 'passive' && `setup of ${name} is ${setup}`,
        );
      });
      return unless(faults);
    },
  },
  {
    id: 'direction',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.5' },
    text: 'Accepted sections are recvonly (WHIP) or sendonly (WHEP)',
    look: async (lab) => {
      const wanted = lab.protocol === 'whip' ? 'recvonly' : 'sendonly';
      const { description } = await lab.open();
      return unless(
        description.accepted.map((media) => {
          const direction = directionOf(media);
          return direction !== wanted && `${nameOf(media)} is ${direction}`;
        }),
      );
    },
  },
  {
    id: 'origin-unique',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.1' },
    text: 'Every answer is a separate session: its o= line is unique (RFC 8866, section 5.2)',
    look: async (lab) => {
      const origins = new Set<string>();
      const count = 4;
      for (let i = 0; i < count; i++) {
        const { description } = await lab.open();
        origins.add(/^o=.*$/m.exec(description.text)?.[0] ?? '');
        await lab.clear();
      }
      return unless([origins.size !== count && `${count} answers have ${origins.size} different o= lines`]);
    },
  },
  {
    id: 'ice-options',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.1' },
    text: 'The answer names ice2 in ice-options (RFC 8839, section 5.6; RFC 8445, section 10)',
    look: async (lab) => {
      const { description } = await lab.open();
      const options = valuesOf(description.sdp.attributes, 'ice-options')
        .concat(description.accepted.flatMap(({ attributes }) => valuesOf(attributes, 'ice-options')))
        .flatMap((value) => value.split(/[ ,]/));
      return unless([!options.includes('ice2') && `ice-options is ${options.join(' ') || 'missing'}`]);
    },
  },
  {
    id: 'bundle',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'All accepted sections are in one BUNDLE group',
    look: async (lab) => {
      const { description } = await lab.open();
      const group = valuesOf(description.sdp.attributes, 'group').find((value) =>
        value.startsWith('BUNDLE '),
      );
      const mids = new Set(group?.split(' ').slice(1));
      return unless([
        group === undefined && 'a=group:BUNDLE is missing',
        ...description.accepted.map(
          (media) =>
            !mids.has(attributeOf(media.attributes, 'mid') ?? '') && `${nameOf(media)} is outside the group`,
        ),
      ]);
    },
  },
  {
    id: 'rtcp-mux',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'RTP and RTCP share one port in every bundled section: a=rtcp-mux',
    look: async (lab) => {
      const { description } = await lab.open();
      return unless(
        description.accepted.map(
          ({ attributes, ...media }) =>
            attributeOf(attributes, 'rtcp-mux') === null && `${nameOf({ attributes, ...media })} lacks it`,
        ),
      );
    },
  },
  {
    id: 'rtcp-mux-only',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'a=rtcp-mux-only is in every bundled section (RFC 8858, section 3)',
    look: async (lab) => {
      const { description } = await lab.open();
      return unless(
        description.accepted.map(
          (media) => attributeOf(media.attributes, 'rtcp-mux-only') === null && `${nameOf(media)} lacks it`,
        ),
      );
    },
  },
  {
    id: 'one-stream',
    level: 'MUST',
    sections: { whep: '4.6.2' },
    text: 'All sections of the answer have an msid of one and the same stream, with at most one track of a kind',
    look: async (lab) => {
      const { description } = await lab.open();
      const streams = description.accepted.map((media) => {
        const msid = attributeOf(media.attributes, 'msid')?.split(' ')[0];
        return { name: nameOf(media), stream: msid };
      });
      const named = new Set(streams.map(({ stream }) => stream));
      const kinds = description.accepted.map(({ kind }) => kind);
      return unless([
        ...streams.map(({ name, stream }) => stream === undefined && `${name} has no msid`),
        named.size > 1 && `the sections name ${named.size} streams`,
        new Set(kinds).size !== kinds.length && 'there are several tracks of one kind',
      ]);
    },
  },
  {
    id: 'too-many-tracks',
    level: 'MUST',
    sections: { whip: '4.4.2' },
    text: 'An offer with more tracks of a kind than the server takes is refused with 422 or 400',
    look: async (lab) => {
      const answer = await lab.offer({ videos: 2 });
      if (isGood(answer)) {
        const { accepted } = readDescription(answer.body);
        const pictures = accepted.filter(({ kind }) => kind === 'video').length;
        return unless([
          pictures < 2 && `two pictures are offered, ${pictures} accepted, and nothing is said`,
        ]);
      }
      return unless([![400, 422].includes(answer.status) && `two pictures are answered ${answer.status}`]);
    },
  },
  {
    id: 'no-partial-answers',
    level: 'SHOULD',
    sections: { whip: '4.4.3' },
    text: 'An offer with a section that cannot be served is refused as a whole with 422 or 400',
    look: async (lab) => {
      const answer = await lab.offer({ sound: 'unknown' });
      return unless([
        ![400, 422].includes(answer.status) &&
          `a picture with a sound of an unknown codec is answered ${answer.status}`,
      ]);
    },
  },
  {
    id: 'setup-active',
    level: 'SHOULD',
    sections: { whip: '4.4.4' },
    text: 'An offer with setup:active is served, or refused with 422 or 400',
    look: async (lab) => {
      const answer = await lab.offer({ setup: 'active' });
      if (!isGood(answer))
        return unless([![400, 422].includes(answer.status) && `it is answered ${answer.status}`]);
      const setup = lineIn(answer.body, 'setup');
      return unless([setup !== 'passive' && `the answer's role is ${setup ?? 'missing'}`]);
    },
  },
  {
    id: 'simulcast-answer',
    level: 'MUST',
    sections: { whip: '4.8' },
    text: 'An accepted simulcast offer is answered according to RFC 8853, section 5.3.2: recv, with layers of the offer',
    look: async (lab) => {
      const answer = await lab.offer({ simulcast: true });
      if (!isGood(answer)) return notApplicable(`an offer of simulcast is answered ${answer.status}`);
      const simulcast = lineIn(answer.body, 'simulcast');
      if (simulcast === null)
        return notApplicable('the server takes no simulcast, and says so by leaving it out');
      const layers = (/^ ?recv (\S+)$/.exec(simulcast)?.[1] ?? '')
        .split(/[;,]/)
        .map((rid) => rid.replace('~', ''));
      const rids = [...answer.body.matchAll(/^a=rid:(\S+) recv/gm)].map(([, rid]) => rid);
      return unless([
        ...layers.map((rid) => !['h', 'm', 'l'].includes(rid) && `"${rid}" is no layer of the offer`),
        ...layers.map((rid) => !rids.includes(rid) && `a=rid for layer "${rid}" is missing`),
      ]);
    },
  },
  {
    id: 'weak-fingerprint',
    level: 'PRACTICE',
    sections: { whip: '5', whep: '5' },
    text: 'A certificate that is only identified by SHA-1, or by a digest of the wrong length, is refused (RFC 8122, section 5)',
    look: async (lab) => {
      const faults: (string | false)[] = [];
      for (const fingerprint of [`sha-1 ${hexPairs(20)}`, `sha-256 ${hexPairs(20)}`]) {
        const answer = await lab.offer({ fingerprint });
        faults.push(
          !isRefused(answer) && `${fingerprint.slice(0, 7)} with 20 bytes is answered ${answer.status}`,
        );
      }
      return unless(faults);
    },
  },
  {
    id: 'counter-offer',
    level: 'MUST',
    sections: { whep: '4.3.2' },
    text: 'A 406 carries an offer of the server (sendonly or sendrecv) as application/sdp and a Location, and PATCH with a malformed answer gets a 4xx',
    look: async (lab) => {
      const answer = await lab.offer({ picture: 'unknown' });
      if (answer.status !== 406)
        return notApplicable(`the server makes no counter-offers: it answers ${answer.status}`);
      const location = answer.headers.get('location');
      const faults: (string | false)[] = [
        !answer.body.startsWith('v=0') && 'the 406 carries no description',
        location === null && 'Location is missing',
        ...readDescription(answer.body).accepted.map((media) => {
          const direction = directionOf(media);
          return !['sendonly', 'sendrecv'].includes(direction) && `${nameOf(media)} is ${direction}`;
        }),
      ];
      if (location !== null) {
        const url = new URL(location, lab.endpoint.url).href;
        const refusal = await lab.patch(url, null, 'no description', 'application/sdp');
        faults.push(!isRefused(refusal) && `a malformed answer is answered ${refusal.status}`);
      }
      return unless(faults);
    },
  },
];
