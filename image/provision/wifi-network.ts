import type { WifiNetworkInput } from './settings.ts';

/** A network as a file describes it, or why it cannot be used, in words that name no value. */
export type FoundNetwork = { readonly network: WifiNetworkInput } | { readonly problem: string };

export interface DescribedNetwork {
  readonly ssid: string;
  readonly hidden: boolean;
  /** The key as the file has it: undefined or empty where it names none, null where there is one that cannot be read. */
  readonly psk: string | null | undefined;
  /** True where the file asks for a user name, a certificate, or another way in than a key. */
  readonly needsMore?: boolean;
}

/** A network that has a key is never taken for an open one, whatever the key looks like. Pure. */
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
