import { describe, expect, test } from 'vitest';
import { type PinnedHomes, SerialHomes } from './serial-homes.ts';
import { stableIds } from './stable-id.ts';
import type { VideoNode } from './video-nodes.ts';

const serialId = 'usb-Sonix_HD_USB_Camera_200901010001';

interface Plug {
  readonly port: number;
  readonly node: string;
  /** Whether udev's by-id link points here. */
  readonly named?: boolean;
  readonly interface?: number;
  readonly serial?: string;
}

function camera({
  port,
  node,
  named = false,
  interface: number = 0,
  serial = '200901010001',
}: Plug): VideoNode {
  return {
    node,
    name: 'HD USB Camera',
    index: 0,
    driver: 'uvcvideo',
    devicePath: `/devices/pci0000:00/usb1/1-${port}/1-${port}:1.${number}`,
    usb: { vendorId: '0c45', productId: '6366', serial, deviceNumber: '3' },
    byId: named ? `${serialId}-video-index0` : null,
    byPath: `pci-0000:00:14.0-usb-0:${port}:1.${number}-video-index0`,
  };
}

const atPort = (port: number, interfaceNumber = 0) => `pci-0000:00:14.0-usb-0:${port}:1.${interfaceNumber}`;

/** Ids by port, whatever the nodes are called. */
function idsByPort(homes: SerialHomes, plugs: readonly Plug[]): Record<string, string | undefined> {
  const ids = stableIds(plugs.map(camera), homes);
  return Object.fromEntries(plugs.map(({ port, node }) => [port, ids.get(node)]));
}

describe('cameras that share a serial number', () => {
  test('keep their ids, whichever was plugged in last and has the udev link', () => {
    const homes = new SerialHomes();
    const first = [
      { port: 1, node: 'video0', named: true },
      { port: 2, node: 'video2' },
    ];
    const ids = idsByPort(homes, first);
    expect(ids).toEqual({ 1: serialId, 2: atPort(2) });
    const replugged = [
      { port: 1, node: 'video4' },
      { port: 2, node: 'video2', named: true },
    ];
    expect(idsByPort(homes, replugged)).toEqual(ids);
  });

  test('a second one takes nothing from the first, which may be recording', () => {
    const homes = new SerialHomes();
    expect(idsByPort(homes, [{ port: 3, node: 'video0', named: true }])).toEqual({ 3: serialId });
    const both = [
      { port: 3, node: 'video0' },
      { port: 1, node: 'video2', named: true },
    ];
    expect(idsByPort(homes, both)).toEqual({ 3: serialId, 1: atPort(1) });
  });

  test('are remembered across a restart, even with only one of them present', () => {
    let kept: PinnedHomes = {};
    const memory = {
      get: () => kept,
      set: (homes: PinnedHomes) => {
        kept = homes;
      },
    };
    const both = [
      { port: 2, node: 'video0' },
      { port: 3, node: 'video2', named: true },
    ];
    const ids = idsByPort(new SerialHomes(memory), both);
    expect(ids).toEqual({ 2: serialId, 3: atPort(3) });
    const alone = [{ port: 3, node: 'video0', named: true }];
    expect(idsByPort(new SerialHomes(memory), alone)).toEqual({ 3: atPort(3) });
  });

  test('two video nodes of one camera, such as colour and infrared, do not swap either', () => {
    const homes = new SerialHomes();
    const colour = { port: 1, node: 'video0', interface: 0 };
    const infrared = { port: 1, node: 'video2', interface: 2 };
    for (const [a, b] of [[true, false] as const, [false, true] as const]) {
      const ids = stableIds([camera({ ...colour, named: a }), camera({ ...infrared, named: b })], homes);
      expect([ids.get('video0'), ids.get('video2')]).toEqual([serialId, atPort(1, 2)]);
    }
  });
});

test('a camera with a unique number keeps its id in any port', () => {
  const homes = new SerialHomes();
  for (const port of [1, 4, 2]) {
    expect(idsByPort(homes, [{ port, node: 'video0', named: true }])).toEqual({ [port]: serialId });
  }
});

test('cameras without a number are named by their ports', () => {
  const plugs = [
    { port: 1, node: 'video0', serial: '', named: true },
    { port: 2, node: 'video2', serial: '' },
  ];
  expect(idsByPort(new SerialHomes(), plugs)).toEqual({ 1: atPort(1), 2: atPort(2) });
});
