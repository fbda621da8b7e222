import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskWear, parseEmmcWear, parseSmartWear } from './disk-wear.ts';

const logger = pino({ level: 'silent' });
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rushlight-wear-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, text: string): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

function partition(disk: string, name: string): void {
  file(`sys/devices/${disk}/${name}/partition`, '1\n');
  mkdirSync(join(root, 'sys/class/block'), { recursive: true });
  symlinkSync(join(root, 'sys/devices', disk, name), join(root, 'sys/class/block', name));
}

function program(script: string): string {
  const path = file('smartctl', `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

// The shapes are those that smartctl(8) 7.x documents; no recording of a real disk is at hand.
const ata = (table: object[]) => JSON.stringify({ ata_smart_attributes: { table } });

describe('SMART', () => {
  it.each([
    ['NVMe', JSON.stringify({ nvme_smart_health_information_log: { percentage_used: 3 } }), 3],
    ['a worn-out NVMe', JSON.stringify({ nvme_smart_health_information_log: { percentage_used: 120 } }), 120],
    ['what newer versions tell of any disk', JSON.stringify({ endurance_used: { current_percent: 7 } }), 7],
    [
      'SATA, life left',
      ata([
        { id: 9, value: 99 },
        { id: 231, value: 94 },
      ]),
      6,
    ],
    [
      'SATA, the better of two',
      ata([
        { id: 177, value: 50 },
        { id: 202, value: 98 },
      ]),
      2,
    ],
    ['a hard disk', ata([{ id: 9, value: 99 }]), null],
    ['a value beyond its scale', ata([{ id: 177, value: 200 }]), null],
    ['no JSON', 'Smartctl open device: /dev/sda failed', null],
  ])('of %s', (_, text, expected) => {
    expect(parseSmartWear(text)).toBe(expected);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseSmartWear(text)));
  });
});

describe('eMMC', () => {
  it.each([
    ['0x01 0x02\n', 20],
    ['0x0b 0x01', 110],
    ['0x00 0x00', null],
    ['', null],
    ['0x1 0x2', null],
  ])('%j', (text, expected) => {
    expect(parseEmmcWear(text)).toBe(expected);
  });
});

describe('a disk', () => {
  it('is queried as a whole for its partition', async () => {
    partition('sda', 'sda1');
    const json = JSON.stringify({ endurance_used: { current_percent: 4 } });
    const wear = new DiskWear({
      logger,
      root,
      program: program(`[ "$4" = /dev/sda ] && echo '${json}'; exit 64`),
    });
    expect(await wear.percent('/dev/sda1')).toBe(4);
    expect(await wear.percent('/dev/sdz1')).toBeNull();
  });

  it('that is an eMMC needs no program', async () => {
    partition('mmcblk0', 'mmcblk0p7');
    file('sys/devices/mmcblk0/device/life_time', '0x01 0x01\n');
    const wear = new DiskWear({ logger, root, program: join(root, 'nowhere') });
    expect(await wear.percent('/dev/mmcblk0p7')).toBe(10);
  });

  it('is not queried if the image has already done so', async () => {
    partition('sda', 'sda1');
    file('run/rushlight-disks/sda.json', JSON.stringify({ endurance_used: { current_percent: 9 } }));
    const wear = new DiskWear({ logger, root, program: program('exit 1') });
    expect(await wear.percent('/dev/sda1')).toBe(9);
    file('run/rushlight-disks/sda.json', JSON.stringify({ endurance_used: { current_percent: 10 } }));
    expect(await wear.percent('/dev/sda1')).toBe(10);
  });

  it('is queried once for hours', async () => {
    partition('sda', 'sda1');
    const count = join(root, 'count');
    const wear = new DiskWear({ logger, root, program: program(`echo x >> ${count}`) });
    await wear.percent('/dev/sda1');
    await wear.percent('/dev/sda1');
    expect(readFileSync(count, 'utf8')).toBe('x\n');
  });

  it('without smartctl is unknown and not queried again', async () => {
    partition('sda', 'sda1');
    const wear = new DiskWear({ logger, root, program: join(root, 'smartctl') });
    expect(await wear.percent('/dev/sda1')).toBeNull();
    program('echo "{\\"endurance_used\\":{\\"current_percent\\":4}}"');
    expect(await wear.percent('/dev/sda1')).toBeNull();
  });
});
