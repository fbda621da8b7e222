import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultName } from './host.ts';
import { LinuxHost } from './host-linux.ts';
import * as parsers from './proc-metrics.ts';

const logger = pino({ level: 'silent' });

describe('parsers', () => {
  it('count guest time once and iowait as idle', () => {
    expect(parsers.parseCpuTicks('cpu  100 0 50 800 50 0 0 0 100 0\ncpu0 1\n')).toEqual({
      busy: 150,
      total: 1000,
    });
    expect(parsers.cpuLoadPercent({ busy: 100, total: 1000 }, { busy: 150, total: 1200 })).toBe(25);
    expect(parsers.cpuLoadPercent({ busy: 100, total: 1000 }, { busy: 100, total: 1000 })).toBe(0);
  });

  it('read memory, network, signal, temperature and time', () => {
    expect(parsers.parseMemory('MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   400 kB\n')).toEqual({
      totalBytes: 1_024_000,
      usedBytes: 614_400,
    });
    const counters =
      '  eth0:109271962  117824 0 0 0 0 0 0 5000 117824 0 0 0 0 0 0\nwlan0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16';
    expect([...parsers.parseNetworkCounters(`Inter-| Receive\n face |bytes\n${counters}\n`)]).toEqual([
      ['eth0', { rxBytes: 109_271_962, txBytes: 5000 }],
      ['wlan0', { rxBytes: 1, txBytes: 9 }],
    ]);
    const wireless =
      'Inter-| sta-|   Quality\n face | tus\n wlan0: 0000   54.  -56.  -256        0      0      0      0     20        0\n';
    expect([...parsers.parseWirelessSignal(wireless)]).toEqual([['wlan0', -56]]);
    expect([parsers.parseTemperature('48312\n'), parsers.parseTemperature('hot')]).toEqual([
      48.312,
      undefined,
    ]);
    expect(parsers.parseUptime('350735.47 234388.90\n')).toBe(350_735.47);
  });

  it('list each disk once, at its first mount', () => {
    const mounts = [
      'proc /proc proc rw 0 0',
      '/dev/mmcblk0p5 / ext4 ro 0 0',
      '/dev/mmcblk0p1 /boot/rushlight vfat rw 0 0',
      '/dev/sda1 /media/my\\040ssd ext4 rw 0 0',
      '/dev/sda1 /bind ext4 rw 0 0',
      '/dev/loop0 /snap squashfs ro 0 0',
    ].join('\n');
    expect(parsers.parseDiskMounts(mounts).map(({ mount }) => mount)).toEqual([
      '/',
      '/boot/rushlight',
      '/media/my ssd',
    ]);
  });

  it.each([
    ['throttled=0x0\n', [false, false, false, false]],
    ['throttled=0x1', [true, false, false, false]],
    ['throttled=0x50005', [true, true, true, true]],
    ['throttled=0x80000', [false, false, false, true]],
    ['throttled=0x10000', [false, false, true, false]],
    ['throttled=0x8', [false, true, false, false]],
  ])('of %j: under-voltage and throttling, now and since boot', (text, expected) => {
    expect(Object.values(parsers.parseThrottled(text) ?? {})).toEqual(expected);
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const [name, parse] of Object.entries(parsers)) {
          if (name.startsWith('parse')) (parse as (text: string) => unknown)(text);
        }
        expect(parsers.parseThrottled(`x${text}`)).toBeUndefined();
      }),
    );
  });
});

describe('a machine', () => {
  let root: string;
  const file = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const line = (rx: number, tx: number) => `  eth0: ${rx} 1 0 0 0 0 0 0 ${tx} 1 0 0 0 0 0 0\n`;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rushlight-host-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('like a board reports rates between samples, temperature and identity', async () => {
    file('proc/stat', 'cpu  10 0 0 90 0 0 0 0 0 0\n');
    file('proc/net/dev', line(1000, 0));
    file('proc/self/mounts', `/dev/mmcblk0p7 ${root} ext4 rw 0 0\n`);
    file('proc/device-tree/model', 'Raspberry Pi Zero 2 W Rev 1.0\0');
    file('proc/device-tree/serial-number', '00000000abcd1234\0');
    file('sys/class/thermal/thermal_zone0/temp', '48312\n');
    file('run/systemd/timesync/synchronized', '');
    mkdirSync(join(root, 'dev/disk/by-label'), { recursive: true });
    symlinkSync('../../mmcblk0p7', join(root, 'dev/disk/by-label/my\\x20data'));
    // As a link that udev takes away while it is looked at, this one cannot be read.
    file('dev/disk/by-label/pulled', '');
    let nowMs = 0;
    const network = {
      hostName: 'x',
      interfaces: () => [{ name: 'eth0', mac: '', isLoopback: false, addresses: ['192.0.2.1'] }],
    };
    const host = new LinuxHost({
      logger,
      root,
      network,
      now: () => nowMs,
      firmwareProgram: '/no/such/program',
    });
    await host.lookAtDisks();
    expect(host.sample()).toMatchObject({
      cpuLoadPercent: 10,
      temperatureC: 48.312,
      clockSynced: true,
      network: [{ rxKbps: 0 }],
      disks: [{ mount: root, label: 'my data', totalBytes: expect.any(Number) }],
    });
    nowMs = 2000;
    file('proc/stat', 'cpu  60 0 0 140 0 0 0 0 0 0\n');
    file('proc/net/dev', line(251_000, 500));
    expect(host.sample()).toMatchObject({
      cpuLoadPercent: 50,
      network: [{ name: 'eth0', rxKbps: 1000, txKbps: 2 }],
    });
    expect(await host.power()).toBeNull();
    expect(await host.identity()).toMatchObject({
      model: 'Raspberry Pi Zero 2 W Rev 1.0',
      serial: '00000000abcd1234',
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
  });

  it('without any of the files still answers', () => {
    const network = { hostName: 'x', interfaces: () => [] };
    expect(new LinuxHost({ logger, root, network }).sample()).toEqual({
      cpuLoadPercent: 0,
      temperatureC: null,
      memoryUsedBytes: 0,
      memoryTotalBytes: 0,
      disks: [],
      network: [],
      uptimeS: 0,
      clockSynced: null,
    });
  });

  it('asks the firmware if there is one', async () => {
    file('vcgencmd', '#!/bin/sh\necho throttled=0x50000\n');
    const { chmodSync } = await import('node:fs');
    chmodSync(join(root, 'vcgencmd'), 0o755);
    const host = new LinuxHost({ logger, firmwareProgram: join(root, 'vcgencmd') });
    expect(await host.power()).toMatchObject({ underVoltageNow: false, underVoltageSinceBoot: true });
  });

  it('reads the firmware state from the kernel, without a program, while its monitor runs', async () => {
    file('sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled', '50001\n');
    const host = new LinuxHost({ logger, root, firmwareProgram: join(root, 'nowhere') });
    expect(await host.power()).toBeNull();
    file('sys/class/hwmon/hwmon1/name', 'rpi_volt\n');
    expect(await host.power()).toMatchObject({
      underVoltageNow: true,
      throttledNow: false,
      throttledSinceBoot: true,
    });
  });

  it('like this one has memory, disks, uptime and a name', async () => {
    const host = new LinuxHost({ logger });
    await host.lookAtDisks();
    const metrics = host.sample();
    expect(metrics.memoryTotalBytes).toBeGreaterThan(metrics.memoryUsedBytes);
    expect(metrics.memoryUsedBytes).toBeGreaterThan(0);
    expect(metrics.uptimeS).toBeGreaterThan(0);
    expect(defaultName(await host.identity())).toMatch(/^rushlight-[a-z0-9]{4}$/);
  });
});

it('without a name is called after its serial number', () => {
  expect(defaultName({ serial: '00000000ABCD1234', id: 'x' })).toBe('rushlight-1234');
  expect(defaultName({ serial: null, id: '0123456789ab' })).toBe('rushlight-89ab');
  expect(defaultName({ serial: '7', id: 'x' })).toBe('rushlight-0007');
});
