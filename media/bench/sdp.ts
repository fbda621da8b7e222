/**
 * `node media/bench/sdp.ts [texts] [seed]`: reads mangled offers of real clients, and answers those that can be answered. It says
 * how many there were and how long they took; anything thrown but a SignalingError ends it.
 */
import { buildAnswer } from '../signaling/answer.ts';
import * as clients from '../signaling/client-offers.fake.ts';
import { SignalingError } from '../signaling/errors.ts';
import { negotiatePublisher, negotiateViewer } from '../signaling/negotiate.ts';
import { parseOffer } from '../signaling/offer.ts';
import { percentile } from './figures.ts';

const [texts = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const seeds = Object.values(clients).filter((offer) => typeof offer === 'string');
const local = {
  ice: { ufrag: 'localufrag', pwd: 'localpasswordlocalpassword' },
  candidates: [{ address: '192.0.2.7', port: 8189 }],
  fingerprint: { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => '0A').join(':') },
};
const tracks = { cname: 'c', streamId: 's', videoSsrc: 1, audioSsrc: 2, repairSsrc: 3 };

/** The same numbers in every run of one seed (mulberry32). */
let state = seed | 0;
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
}

function oneOf<T>(list: readonly T[]): T | undefined {
  return list[random(list.length)];
}

const changes: readonly ((lines: string[]) => void)[] = [
  (lines) => lines.splice(random(lines.length), 1),
  (lines) => lines.splice(random(lines.length), 0, oneOf((oneOf(seeds) ?? '').split('\r\n')) ?? ''),
  (lines) => lines.splice(random(lines.length), 0, ...lines.slice(random(lines.length))),
  (lines) => lines.splice(random(lines.length)),
  (lines) => {
    const at = random(lines.length);
    const line = lines[at] ?? '';
    const cut = random(line.length + 1);
    const put = String.fromCharCode(...Array.from({ length: random(8) }, () => random(300)));
    lines[at] = line.slice(0, cut) + put + line.slice(cut + random(4));
  },
  (lines) => {
    const at = random(lines.length);
    lines[at] = (lines[at] ?? '').replace(/\d+/, String(oneOf([-1, 0, 65_536, 2 ** 32, 2 ** 53, '1e9', ''])));
  },
  (lines) => {
    const at = random(lines.length);
    lines[at] = `${lines[at] ?? ''} `.repeat(1 + random(400));
  },
  (lines) => lines.push(...Array.from({ length: random(1500) }, () => lines[random(lines.length)] ?? '')),
];

function mangled(): string {
  const lines = (oneOf(seeds) ?? '').split('\r\n');
  for (let n = random(5); n >= 0; n--) oneOf(changes)?.(lines);
  return lines.join(oneOf(['\r\n', '\n']) ?? '');
}

function answer(sdp: string): boolean {
  try {
    const offer = parseOffer(sdp);
    if (random(2) === 0) buildAnswer(offer, negotiatePublisher(offer), local, { kind: 'receive' });
    else {
      const negotiated = negotiateViewer(offer, {
        video: { codec: 'h264', profileLevelId: '42c01f' },
        audioCodec: 'opus',
      });
      buildAnswer(offer, negotiated, local, { kind: 'send', tracks });
    }
    return true;
  } catch (error) {
    if (error instanceof SignalingError) return false;
    process.stderr.write(`This text is at fault (seed ${seed}):\n${sdp}\n`);
    throw error;
  }
}

const durations: number[] = [];
let answered = 0;
for (let n = 0; n < texts; n++) {
  const text = mangled();
  const before = process.cpuUsage();
  if (answer(text)) answered++;
  const { user, system } = process.cpuUsage(before);
  durations.push(user + system);
}
const ms = (share: number): string => (percentile(durations, share) / 1000).toFixed(2);
process.stdout.write(
  `${texts} texts, ${answered} answered, the others refused; CPU p50 ${ms(0.5)} ms, p99.9 ${ms(0.999)} ms, longest ${ms(1)} ms\n`,
);
