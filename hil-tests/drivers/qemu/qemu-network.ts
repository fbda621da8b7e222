import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RigError } from '../../lib/errors.ts';
import { answers, encodeQuestion, type MdnsQuestion, type MdnsRecord, recordsOf } from '../../lib/mdns.ts';
import type { Network } from '../../protocols/network.ts';
import type { SshShell } from '../ssh-shell.ts';
import type { Forward, MachineSpec } from './argv.ts';
import { mdnsFrame, mdnsMessage } from './mdns-frame.ts';

/** The guest through QEMU's forwarded ports; its link, for multicast, through the wire of raw frames. */
export class QemuNetwork implements Network {
  readonly #forwards: readonly Forward[];
  readonly #wire: MachineSpec['wire'];
  readonly #ssh: SshShell;

  constructor(forwards: readonly Forward[], wire: MachineSpec['wire'], ssh: SshShell) {
    this.#forwards = forwards;
    this.#wire = wire;
    this.#ssh = ssh;
  }

  endpoint(protocol: 'tcp' | 'udp', port: number): { readonly host: string; readonly port: number } {
    const found = this.#forwards.find((one) => one.protocol === protocol && one.guestPort === port);
    if (found === undefined) throw new RigError('RIG_LAB', `the lab forwards no ${protocol} port ${port}`);
    return { host: '127.0.0.1', port: found.hostPort };
  }

  shell(command: string, options?: { timeoutMs?: number; input?: string | Uint8Array }): Promise<string> {
    return this.#ssh.run(command, options);
  }

  forget(): Promise<void> {
    return this.#ssh.forget();
  }

  async askMdns(question: MdnsQuestion, timeoutMs: number): Promise<MdnsRecord[]> {
    const socket = createSocket('udp4');
    let found: MdnsRecord[] = [];
    socket.on('message', (frame) => {
      const message = mdnsMessage(frame);
      const records = message === null ? [] : recordsOf(message);
      if (answers(question, records)) found = records;
    });
    socket.bind(this.#wire.rigPort, '127.0.0.1');
    await once(socket, 'listening');
    const deadline = Date.now() + timeoutMs;
    const frame = mdnsFrame(encodeQuestion(question));
    try {
      while (found.length === 0 && Date.now() < deadline) {
        socket.send(frame, this.#wire.guestPort, '127.0.0.1');
        await sleep(1000);
      }
    } finally {
      socket.close();
    }
    return found;
  }
}
