import type { MdnsQuestion, MdnsRecord } from '../lib/mdns.ts';

/** How the rig reaches the device. */
export interface Network {
  /** Address and port under which a port of the device answers. */
  endpoint(protocol: 'tcp' | 'udp', port: number): { readonly host: string; readonly port: number };
  /**
   * Runs a command as root on the device, by SSH with the rig's key. Returns its output; rejects with RIG_TOOL if its exit code
   * is not 0.
   */
  shell(command: string, options?: { timeoutMs?: number; input?: string | Uint8Array }): Promise<string>;
  /** Ends SSH connections that are kept open, before the device goes away. */
  forget(): Promise<void>;
  /** Asks a question on the device's link. Returns the records of the first answer; empty if none came in time. */
  askMdns(question: MdnsQuestion, timeoutMs: number): Promise<MdnsRecord[]>;
}
