import type { FoundBroker } from './ports.ts';

/** Which of the brokers that were found on the network the owner has accepted. */
export interface BrokerTrust {
  isAccepted(id: string): boolean;
}

/**
 * What makes a found broker the same one as before. By TLS it is its host name, which its certificate proves at every
 * connection; anybody can claim a name without, so there it is name and address. Pure.
 */
export function brokerId({ host, url }: Pick<FoundBroker, 'host' | 'url'>): string {
  return url.startsWith('mqtts:') ? url : `${host} ${url}`;
}
