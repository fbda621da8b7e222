import { join } from 'node:path';
import type { Logger } from 'pino';
import { writeFileAtomic } from '../../common/files.ts';
import type { Config } from '../config/schema.ts';
import type { Reach } from '../system/reach.ts';

const ntpPort = 123;

/** What needs open ports. */
export interface PortUsers {
  readonly reach: Pick<Reach, 'port' | 'tlsPort'>;
  readonly media: Pick<Config['media'], 'udpPort' | 'tcpPort'>;
}

/**
 * The ports this role needs from outside: `tcp 443` or `udp 8189`, one per line. The image opens those of host name and SSH.
 */
export function openPorts({ reach, media }: PortUsers, role: 'hub' | 'camera'): string {
  const { udpPort, tcpPort } = media;
  const lines = [reach.port, reach.tlsPort].filter((port) => port !== null).map((port) => `tcp ${port}`);
  // A camera calls its hub; only the hub is called, for pictures and for the time.
  if (role === 'hub') lines.push(`udp ${udpPort}`, `udp ${ntpPort}`);
  if (role === 'hub' && tcpPort !== 'off') lines.push(`tcp ${tcpPort === 'auto' ? udpPort : tcpPort}`);
  return `${lines.join('\n')}\n`;
}

/** Writes the ports for the image's firewall, which watches this file. Does nothing if the image gave us no runtime folder. */
export async function publishOpenPorts(users: PortUsers, role: 'hub' | 'camera', log: Logger): Promise<void> {
  const folder = process.env.RUNTIME_DIRECTORY?.split(':')[0];
  if (folder === undefined || folder === '') return;
  try {
    await writeFileAtomic(join(folder, 'open-ports'), openPorts(users, role), {
      mode: 0o644,
      durable: false,
    });
  } catch (error) {
    log.error({ err: error }, 'the needed ports could not be saved for the firewall');
  }
}
