import type { EventEmitter } from 'node:events';
import { Bonjour, type ServiceConfig } from 'bonjour-service';

/** The multicast-dns socket inside bonjour-service: private by its types, covered by the tests of this folder. */
export interface MdnsSocket extends EventEmitter {
  query(name: string, type: string, done: (error: unknown) => void): void;
}

/** Options that bonjour-service passes on to multicast-dns, whose types it does not publish. */
interface SocketOptions {
  readonly interface: string;
  readonly bind: string;
}

/** An instance for the interface that has this address. */
export function openBonjour(address: string, onError: (error: unknown) => void): Bonjour {
  const options: SocketOptions = { interface: address, bind: '0.0.0.0' };
  const bonjour = new Bonjour(options as Partial<ServiceConfig>, onError);
  // Without this listener an error of the socket would end the process.
  socketOf(bonjour).on('error', onError);
  return bonjour;
}

export function socketOf(bonjour: Bonjour): MdnsSocket {
  return (bonjour as unknown as { server: { mdns: MdnsSocket } }).server.mdns;
}
