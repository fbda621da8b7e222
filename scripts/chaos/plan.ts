import { Random } from './random.ts';

/** The two machines. */
export type MachineName = 'hub' | 'camera';
const machines = ['hub', 'camera'] as const;

/** Processes that may be killed. */
export const victims = ['supervisor', 'media', 'pipeline', 'recorder', 'broker'] as const;
/** What a disk may do. */
export const diskTroubles = ['EIO', 'ENOSPC', 'EROFS', 'slow fsync', 'short writes'] as const;
/** Settings that may change. */
export const settingChanges = [
  'a port that is taken',
  'one port for both',
  'an address that is gone',
  'a certificate that is missing',
  'another port',
  'no text at all',
  'garbage',
  'an unknown key',
  'another strategy',
  'more log',
  'a broker that is not there',
] as const;
/** What a stranger may do. */
export const attacks = [
  'silent connections',
  'malformed HTTP',
  'malformed JSON',
  'malformed SDP',
  'malformed packets',
  'forged mDNS',
  'wrong keys',
  'WHIP flood',
  'WHEP flood',
] as const;

/** A press of a button. */
export interface Press {
  readonly wish: 'start' | 'stop';
  readonly via: 'API' | 'MQTT';
  readonly machine: MachineName;
  /** Time until the next press. */
  readonly thenMs: number;
}

/** What is done; everything that lasts ends by itself after `forMs`. */
export type Deed =
  | { readonly kind: 'kill'; readonly victim: (typeof victims)[number]; readonly machine: MachineName }
  | {
      readonly kind: 'disk';
      readonly trouble: (typeof diskTroubles)[number];
      readonly machine: MachineName;
      readonly forMs: number;
    }
  | {
      readonly kind: 'setting';
      readonly change: (typeof settingChanges)[number];
      readonly machine: MachineName;
      readonly forMs: number;
    }
  | { readonly kind: 'presses'; readonly presses: readonly Press[] }
  | { readonly kind: 'cut'; readonly machine: MachineName; readonly forMs: number }
  | { readonly kind: 'keys'; readonly create: number; readonly revoke: number }
  | {
      readonly kind: 'attack';
      readonly attack: (typeof attacks)[number];
      readonly machine: MachineName;
      readonly forMs: number;
      readonly seed: number;
    };

/** The kind of a deed. */
export type Kind = Deed['kind'];

/** A deed and its time. */
export interface Step {
  readonly atMs: number;
  readonly deed: Deed;
}

/** Deeds of one lane come one after the other; lanes run in parallel. */
export type Plan = Readonly<Record<Kind, readonly Step[]>>;

interface Lane {
  readonly make: (random: Random) => Deed;
  /** Rest between the end of a deed and the next one. */
  readonly restMs: readonly [least: number, most: number];
}

const lanes: Readonly<Record<Kind, Lane>> = {
  kill: {
    restMs: [2500, 9000],
    make: (random) => ({ kind: 'kill', victim: random.pick(victims), machine: random.pick(machines) }),
  },
  disk: {
    restMs: [6000, 20_000],
    make: (random) => ({
      kind: 'disk',
      trouble: random.pick(diskTroubles),
      machine: random.pick(machines),
      forMs: random.between(500, 4000),
    }),
  },
  setting: {
    restMs: [4000, 12_000],
    make: (random) => ({
      kind: 'setting',
      change: random.pick(settingChanges),
      machine: random.pick(machines),
      forMs: random.between(1000, 6000),
    }),
  },
  presses: {
    restMs: [1000, 9000],
    make: (random) => ({
      kind: 'presses',
      presses: Array.from({ length: random.between(1, 6) }, () => ({
        wish: random.pick(['start', 'stop']),
        via: random.pick(['API', 'MQTT']),
        machine: random.pick(machines),
        thenMs: random.pick([0, 0, 30, 100, 600, 3000]),
      })),
    }),
  },
  cut: {
    restMs: [12_000, 30_000],
    make: (random) => ({ kind: 'cut', machine: random.pick(machines), forMs: random.between(300, 6000) }),
  },
  keys: {
    restMs: [3000, 9000],
    make: (random) => ({ kind: 'keys', create: random.between(1, 12), revoke: random.between(1, 10) }),
  },
  attack: {
    restMs: [500, 4000],
    make: (random) => ({
      kind: 'attack',
      attack: random.pick(attacks),
      machine: random.pick(machines),
      forMs: random.between(1000, 8000),
      seed: random.between(0, 2 ** 31),
    }),
  },
};

/** All kinds. */
export const kinds = Object.keys(lanes) as Kind[];

/**
 * What is done, and when: the same for the same seed and length. Each lane has its own random numbers, so another lane changes
 * nothing in it, and a longer run begins like a shorter one. Nothing lasts beyond the end. Pure.
 */
export function makePlan(seed: number, lengthMs: number): Plan {
  const stepsOf = (kind: Kind, index: number): readonly Step[] => {
    const random = new Random(seed * 31 + index);
    const { make, restMs } = lanes[kind];
    const steps: Step[] = [];
    for (let atMs = random.between(0, restMs[1]); ; atMs += random.between(...restMs)) {
      const deed = make(random);
      const endMs = atMs + lengthOf(deed);
      if (endMs > lengthMs) return steps;
      steps.push({ atMs, deed });
      atMs = endMs;
    }
  };
  return Object.fromEntries(kinds.map((kind, index) => [kind, stepsOf(kind, index)])) as unknown as Plan;
}

/** How long a deed lasts, in milliseconds. */
export function lengthOf(deed: Deed): number {
  if (deed.kind === 'presses') return deed.presses.reduce((sum, { thenMs }) => sum + thenMs, 0);
  return 'forMs' in deed ? deed.forMs : 0;
}

/** A deed in words, for the log and the table. */
export function wordsOf(deed: Deed): string {
  switch (deed.kind) {
    case 'kill':
      return `kill ${deed.victim}${deed.victim === 'broker' ? '' : ` of the ${deed.machine}`}`;
    case 'disk':
      return `disk of the ${deed.machine}: ${deed.trouble} for ${deed.forMs} ms`;
    case 'setting':
      return `settings of the ${deed.machine}: ${deed.change} for ${deed.forMs} ms`;
    case 'presses':
      return deed.presses
        .map(({ wish, via, machine, thenMs }) => `${wish} ${via} ${machine}, ${thenMs} ms`)
        .join('; ');
    case 'cut':
      return `cable of the ${deed.machine} out for ${deed.forMs} ms`;
    case 'keys':
      return `create ${deed.create} keys, revoke ${deed.revoke}`;
    case 'attack':
      return `${deed.attack} at the ${deed.machine} for ${deed.forMs} ms`;
  }
}
