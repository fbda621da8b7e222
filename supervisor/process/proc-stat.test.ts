import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAlive, parseProcStat, readProcStat } from './proc-stat.ts';

const tail = Array.from({ length: 30 }, (_, index) => index).join(' ');

describe('parseProcStat', () => {
  it('reads the fields whatever the command is called', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat(), (command, pid, parent, ticks) => {
        const fields = Array.from({ length: 40 }, () => 0);
        fields[0] = parent;
        fields[1] = 77;
        fields[18] = ticks;
        const stat = parseProcStat(`${pid} (${command}) S ${fields.join(' ')}\n`);
        expect(stat).toEqual({ pid, state: 'S', parentPid: parent, groupId: 77, startTicks: ticks });
      }),
    );
  });

  it('never throws, and rejects anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseProcStat(text)));
    for (const text of [
      '',
      '1 (x) S',
      '1 (x) S 1 2 3',
      `(x) S ${tail}`,
      `1 (x) S ${tail.replace('18', 'a')}`,
    ]) {
      expect(parseProcStat(text)).toBeUndefined();
    }
  });
});

describe('isAlive', () => {
  it('recognises this very process, and no other with its number', () => {
    const stat = readProcStat(process.pid);
    expect(stat?.parentPid).toBe(process.ppid);
    expect(isAlive(process.pid, stat?.startTicks ?? 0)).toBe(true);
    expect(isAlive(process.pid, 1)).toBe(false);
    expect(readProcStat(2 ** 22 + 1)).toBeUndefined();
  });
});
