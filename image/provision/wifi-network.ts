import type { WifiNetworkInput } from './settings.ts';

/** A network that a file describes, or why it cannot be used, in words without values. */
export type FoundNetwork = { readonly network: WifiNetworkInput } | { readonly problem: string };

/** A network as a file describes it. */
export interface DescribedNetwork {
  readonly ssid: string;
  readonly hidden: boolean;
  /** The key in the file: undefined or empty if there is none, null if there is one that cannot be read. */
  readonly psk: string | null | undefined;
  /** True if the file asks for a user name, a certificate, or anything else than a key. */
  readonly needsMore?: boolean;
}

/** A network with a key is never taken for an open one, whatever the key looks like. Pure. */
export function foundNetwork({ ssid, hidden, psk, needsMore = false }: DescribedNetwork): FoundNetwork {
  if (needsMore)
    return { problem: 'a Wi-Fi network that asks for more than a password is not joined by this appliance' };
  if (psk === null) return { problem: 'the password of a Wi-Fi network cannot be read' };
  return { network: { ssid, hidden, ...(psk === undefined || psk === '' ? {} : { psk }) } };
}

/** The networks among what was found, and the problems. */
export function sortFound(found: readonly FoundNetwork[]): {
  readonly wifi: WifiNetworkInput[];
  readonly problems: string[];
} {
  return {
    wifi: found.flatMap((one) => ('network' in one ? [one.network] : [])),
    problems: found.flatMap((one) => ('problem' in one ? [one.problem] : [])),
  };
}
