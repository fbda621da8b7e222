import { expect, it } from 'vitest';
import { Admission } from './admission.ts';

const limits = {
  whip: { all: 4, ofOneKey: 3, pendingOfOneKey: 2 },
  whep: { all: 6, ofOneKey: 4, pendingOfOneKey: 3 },
};
const overloaded = expect.objectContaining({ code: 'OVERLOADED', retryAfterS: expect.any(Number) });

it('Viewers never take the places of cameras', () => {
  const admission = new Admission(limits);
  for (const key of ['a', 'b', 'c']) for (let i = 0; i < 2; i++) admission.admit('whep', key);
  expect(() => admission.admit('whep', 'd')).toThrow(overloaded);
  expect(() => admission.admit('whip', 'camera')).not.toThrow();
});

it('One key gets no more than its share, connected or not, and gets back the places it gives up', () => {
  const admission = new Admission(limits);
  const places = [1, 2, 3].map(() => admission.admit('whep', 'greedy'));
  expect(() => admission.admit('whep', 'greedy')).toThrow(overloaded);
  expect(() => admission.admit('whep', 'other')).not.toThrow();
  for (const place of places) place.settle();
  admission.admit('whep', 'greedy');
  expect(() => admission.admit('whep', 'greedy')).toThrow(overloaded);
  places[0]?.[Symbol.dispose]();
  places[0]?.[Symbol.dispose]();
  admission.admit('whep', 'greedy');
  expect(() => admission.admit('whep', 'greedy')).toThrow(overloaded);
});
