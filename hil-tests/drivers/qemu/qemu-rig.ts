import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Neighbourhood } from '../../protocols/neighbours.ts';
import type { Rig } from '../../rig.ts';
import { GuestGpio } from '../guest-gpio.ts';
import { GuestVideo } from '../guest-video.ts';
import { makeKey, SshShell } from '../ssh-shell.ts';
import type { Arch, Forward, MachineSpec } from './argv.ts';
import { BareDebian } from './bare-debian.ts';
import { freePort } from './free-port.ts';
import { QemuMachine } from './machine.ts';
import { QemuNetwork } from './qemu-network.ts';
import { QemuStorage } from './qemu-storage.ts';
import { QemuUsb } from './qemu-usb.ts';
import { WireSwitch } from './wire-switch.ts';

/** A virtual lab. */
export interface QemuLab {
  readonly name: string;
  readonly arch: Arch;
  readonly image: string;
  readonly memoryMb: number;
  readonly cores: number;
  readonly cardMb: number;
  readonly ssdMb: number;
  readonly slowness: number;
  readonly watchdog: boolean;
}

/** Ports of the device that the rig reaches from outside. 8080 is one that must stay closed. */
const forwardedPorts: readonly (readonly ['tcp' | 'udp', number])[] = [
  ['tcp', 22],
  ['tcp', 80],
  ['tcp', 443],
  ['tcp', 8080],
  ['udp', 123],
  ['udp', 8189],
];
/**
 * The rig's own unit, passed to the guest's systemd as a credential, so that the image contains nothing of the rig. Its name is
 * short because QEMU's fw_cfg takes no more than 55 characters.
 */
const guest = join(import.meta.dirname, '../../guest');
const credentials = {
  'systemd.extra-unit.g.service': join(guest, 'g.service'),
  'rig.cp2112.mjs': join(guest, 'cp2112.mjs'),
};
/**
 * A busy host may leave the guest without a processor for a while: only a silence that is this much longer than on a board
 * counts as a hang. Only the product's watch over its own processes uses it.
 */
const hangFactor = 5;

/** The same for systemd's watch over the product. */
const patientUnit = Buffer.from('[Service]\nWatchdogSec=10min\nTimeoutStartSec=40min\n').toString('base64');

/** What the simulated firmware adds to the kernel's command line, like the boards' own: the virtual peripherals. */
const peripherals = (slowness: number): string =>
  [
    `systemd.setenv=RUSHLIGHT_PATIENCE=${slowness * hangFactor}`,
    `systemd.set_credential_binary=systemd.unit-dropin.rushlight.service~rig:${patientUnit}`,
    'systemd.wants=g.service',
    'systemd.setenv=RUSHLIGHT_GPIO_CHIP=cp2112_gpio',
    'modules_load=vivid',
    'vivid.n_devs=1',
    'vivid.node_types=0x1',
  ].join(' ');
const mebibyte = 1024 * 1024;

/** A virtual rig in a folder of its own; nothing runs until its power is switched on. */
export async function openQemuRig(lab: QemuLab): Promise<Rig> {
  return (await openMachine(lab, 0)).rig;
}

interface OpenMachine {
  readonly rig: Rig;
  readonly wire: MachineSpec['wire'];
}

/** The lab's machine, or one of its neighbours, by number. */
async function openMachine(lab: QemuLab, number: number): Promise<OpenMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-lab-'));
  const key = await makeKey(folder);
  const forwards: Forward[] = [];
  for (const [protocol, guestPort] of forwardedPorts) {
    forwards.push({ protocol, guestPort, hostPort: await freePort(protocol) });
  }
  const mac = `52:54:00:72:6c:0${number + 2}`;
  const wire = { rigPort: await freePort('udp'), guestPort: await freePort('udp'), mac };
  const wireFile = join(folder, 'wire.network');
  await writeFile(wireFile, wireSettings(mac, `10.99.0.${number + 2}/24`));
  const disks = {
    image: lab.image,
    card: join(folder, 'card.img'),
    cardBytes: lab.cardMb * mebibyte,
    ssd: join(folder, 'ssd.img'),
    ssdBytes: lab.ssdMb * mebibyte,
  };
  const { arch, memoryMb, cores, watchdog } = lab;
  const uuid = crypto.randomUUID();
  const disk = { disk: disks.card, ssd: disks.ssd };
  const spec: MachineSpec = {
    arch,
    ...disk,
    memoryMb,
    cores,
    forwards,
    wire,
    uuid,
    watchdog,
    credentials: { ...credentials, 'network.network.10-rig': wireFile },
    peripherals: peripherals(lab.slowness),
  };
  const machine = new QemuMachine(spec);
  const ssh = new SshShell(key.file, folder, () => network.endpoint('tcp', 22));
  const network: QemuNetwork = new QemuNetwork(forwards, wire, ssh);
  const rig: Rig = {
    name: number === 0 ? lab.name : `${lab.name}-${number}`,
    power: machine,
    console: machine.serial,
    storage: new QemuStorage(disks, machine, key.publicKey),
    network,
    gpio: new GuestGpio(network),
    video: new GuestVideo(network),
    usb: new QemuUsb(machine),
    reference: number === 0 ? new BareDebian(spec, lab.slowness) : null,
    neighbours: number === 0 ? { open: (count) => openNeighbours(lab, wire, count) } : null,
    watchdog: watchdog || null,
    slowness: lab.slowness,
    starts: machine.starts,
    async [Symbol.asyncDispose]() {
      await network.forget();
      await machine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return { rig, wire };
}

/** More machines of the lab, on a switch with the first one's wire. */
async function openNeighbours(
  lab: QemuLab,
  wire: MachineSpec['wire'],
  count: number,
): Promise<Neighbourhood<Rig>> {
  await using opened = new AsyncDisposableStack();
  const machines: OpenMachine[] = [];
  for (let number = 1; number <= count; number++) {
    const machine = await openMachine(lab, number);
    opened.use(machine.rig);
    machines.push(machine);
  }
  opened.use(await new WireSwitch([wire, ...machines.map((machine) => machine.wire)]).open());
  const kept = opened.move();
  return { rigs: machines.map(({ rig }) => rig), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** For the guest's networkd: there is no DHCP server on the wire. */
function wireSettings(mac: string, address: string): string {
  return `[Match]\nMACAddress=${mac}\n[Link]\nRequiredForOnline=no\n[Network]\nAddress=${address}\nMulticastDNS=no\n`;
}
