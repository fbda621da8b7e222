import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BoardLab } from '../../lib/lab.ts';
import type { Network } from '../../protocols/network.ts';
import type { Rig } from '../../rig.ts';
import { makeKey, SshShell } from '../ssh-shell.ts';
import { askLink } from './mdns-socket.ts';
import { MuxStorage } from './mux-storage.ts';
import { powerSwitch } from './power-switch.ts';
import { SerialConsole } from './serial-console.ts';

/** A real board: serial console, a switch in its supply, a card behind a multiplexer, and its network address. */
export async function openBoardRig(name: string, lab: BoardLab): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-lab-'));
  const key = await makeKey(folder);
  const serial = new SerialConsole(lab.console.device, lab.console.baud);
  await serial.open();
  const ssh = new SshShell(key.file, folder, () => ({ host: lab.address, port: 22 }));
  const power = powerSwitch(lab.power);
  return {
    name,
    power,
    console: serial.log,
    storage: new MuxStorage({ ...lab.storage, image: lab.image, sshKey: key.publicKey }),
    network: boardNetwork(lab.address, ssh),
    // A board's lines and cameras are wired by hand so far: docs/contribute/rig.md.
    gpio: null,
    video: null,
    usb: null,
    reference: null,
    neighbours: null,
    watchdog: true,
    starts: null,
    slowness: lab.slowness,
    async [Symbol.asyncDispose]() {
      await ssh.forget();
      await power.off();
      await serial[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function boardNetwork(address: string, ssh: SshShell): Network {
  return {
    endpoint: (_, port) => ({ host: address, port }),
    shell: (command, options) => ssh.run(command, options),
    forget: () => ssh.forget(),
    askMdns: (question, timeoutMs) => askLink(question, timeoutMs),
  };
}
