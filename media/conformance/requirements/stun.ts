/** ICE checks, and what answers them. */
import type { Lab } from '../lab.ts';
import { createIce } from '../offers.ts';
import { fail, type Requirement, unless } from '../requirement.ts';
import { StunProbe } from '../stun-probe.ts';

/** Requirements of STUN. */
export const stunRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'full-ice',
    level: 'SHOULD',
    sections: { whip: '4.4.5', whep: '4.6.3' },
    text: 'The media server has full ICE, or clients can reach it at the addresses it names',
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
    text: 'A check with an unknown required attribute is answered 420 with its type (RFC 8489, section 6.3.1)',
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
