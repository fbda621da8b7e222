import type { Boot } from '../firmware/firmware.ts';

/** Processors of guests. */
export type Arch = 'amd64' | 'arm64';

/** A port of the guest that the rig reaches on its own loopback address. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly guestPort: number;
}

/** A guest machine. */
export interface MachineSpec {
  readonly arch: Arch;
  readonly disk: string;
  /** A second disk, in the role of the SSD. */
  readonly ssd: string | null;
  readonly memoryMb: number;
  readonly cores: number;
  readonly forwards: readonly Forward[];
  /** Carries whole Ethernet frames as UDP datagrams between the rig and a second network card of the guest. */
  readonly wire: { readonly rigPort: number; readonly guestPort: number; readonly mac: string };
  readonly uuid: string;
  readonly watchdog: boolean;
  /** Added to the kernel's command line. */
  readonly peripherals: string;
  /** Files that systemd in the guest takes as credentials, by name: units of the rig, handed in without touching the image. */
  readonly credentials: Readonly<Record<string, string>>;
}

/**
 * Options of an emulated machine's kernel. It needs no guards against processors that leak: an emulated one does not, and the
 * guards cost indirect jumps. On a busy host a PC's kernel takes a late timer for a missing one, and panics.
 */
const emulated = { amd64: 'mitigations=off no_timer_check', arm64: 'mitigations=off' } as const;

/** QEMU's program for each processor. */
const qemuPrograms = { amd64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' } as const;

/** Command line of QEMU for one run: software emulation, direct kernel boot, nothing that leaves the machine. Pure. */
export function qemuArgv(spec: MachineSpec, boot: Boot, qmpSocket: string): [string, ...string[]] {
  const machine =
    spec.arch === 'amd64'
      ? // Without a fifth level of page tables, each of which the emulator has to walk.
        ['-M', 'q35', '-cpu', 'max,la57=off', '-uuid', spec.uuid]
      : ['-M', 'virt', '-cpu', 'cortex-a72', '-uuid', spec.uuid];
  const forwards = spec.forwards.map(
    ({ protocol, hostPort, guestPort }) => `,hostfwd=${protocol}:127.0.0.1:${hostPort}-:${guestPort}`,
  );
  const { rigPort, guestPort, mac } = spec.wire;
  return [
    qemuPrograms[spec.arch],
    ...machine,
    ...['-accel', 'tcg,thread=multi,tb-size=512', '-smp', String(spec.cores), '-m', String(spec.memoryMb)],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-qmp', `unix:${qmpSocket},server=on,wait=off`],
    ...['-kernel', boot.kernel, ...(boot.initramfs === null ? [] : ['-initrd', boot.initramfs])],
    ...['-append', `${boot.cmdline} ${emulated[spec.arch]} ${spec.peripherals}`],
    ...drive(spec.disk, 'card'),
    ...(spec.ssd === null ? [] : drive(spec.ssd, 'ssd')),
    ...['-device', 'virtio-rng-pci'],
    ...['-device', 'qemu-xhci,id=usb'],
    // `restrict=on` would drop the answers of forwarded UDP ports, too. Without a name server nothing in the guest finds
    // an address outside.
    ...['-netdev', `user,id=lan,dns=10.0.2.9${forwards.join('')}`, '-device', 'virtio-net-pci,netdev=lan'],
    ...['-netdev', `socket,id=wire,udp=127.0.0.1:${rigPort},localaddr=127.0.0.1:${guestPort}`],
    ...['-device', `virtio-net-pci,netdev=wire,mac=${mac}`],
    ...(spec.watchdog ? ['-device', 'i6300esb', '-action', 'watchdog=reset'] : []),
    ...['-fw_cfg', `name=opt/org.rushlight/partition,string=${boot.partition}`],
    ...['-fw_cfg', `name=opt/org.rushlight/tryboot,string=${boot.tryboot ? 1 : 0}`],
    ...Object.entries(spec.credentials).flatMap(([name, file]) => [
      '-fw_cfg',
      `name=opt/io.systemd.credentials/${name},file=${file}`,
    ]),
  ];
}

function drive(path: string, id: string): string[] {
  return [
    ...['-drive', `file=${path},format=raw,if=none,id=${id},cache=writeback,discard=unmap`],
    ...['-device', `virtio-blk-pci,drive=${id},serial=${id}`],
  ];
}
