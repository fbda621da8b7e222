import type { FoundBroker } from './ports.ts';

/** Which of the brokers that were found on the network the owner has accepted. */
export interface BrokerTrust {
  isAccepted(id: string): boolean;
}

/**
 * What identifies a found broker as the same one as before. With TLS it is its host name, which its certificate proves at every
 * connection; without TLS anyone can claim a name, so there it is name and address. Pure.
 */
export function brokerId({ host, url }: Pick<FoundBroker, 'host' | 'url'>): string {
  return url.startsWith('mqtts:') ? url : `${host} ${url}`;
}
