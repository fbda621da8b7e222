import { z } from 'zod';

const printable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into generated files
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'without control characters');

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8');

/** The name of a Wi-Fi network: what counts is its bytes, of which a letter may take four. */
export const ssidSchema = printable(32).refine((text) => bytesOf(text) <= 32, 'a name of at most 32 bytes');

/** A Wi-Fi network. `psk` is either the 64 hex digits of the pre-shared key or the pass phrase of 8 to 63 bytes. */
export const wifiNetworkSchema = z.strictObject({
  ssid: ssidSchema,
  psk: printable(64)
    .refine(
      (text) => /^[0-9a-f]{64}$/i.test(text) || (bytesOf(text) >= 8 && bytesOf(text) <= 63),
      'a password of 8 to 63 bytes, or 64 hex digits',
    )
    .optional(),
  hidden: z.boolean().default(false),
});

/**
 * What the owner set when the card was written, with any tool: the union of cloud-init, Imager's scripts and its TOML. Kept on
 * the data partition (mode 0600) once the secrets are gone from the card.
 */
export const deviceSettingsSchema = z.strictObject({
  hostname: z
    .string()
    .regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      'a name of at most 63 letters a to z, digits and hyphens, with no hyphen at either end',
    )
    .optional(),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'a name of at most 32 lower-case letters, digits, - and _')
    .optional(),
  sshKeys: z
    .array(
      printable(16_384).regex(/^(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+/, 'an OpenSSH public key'),
    )
    .max(64)
    .default([]),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'a country code of two letters')
    .optional(),
  wifi: z.array(wifiNetworkSchema).max(32).default([]),
  locale: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]{1,64}$/, 'a locale such as de_DE.UTF-8')
    .optional(),
  timeZone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,2}$/, 'a time zone such as Europe/Berlin')
    .optional(),
  keymap: z
    .string()
    .regex(/^[a-z0-9_-]{1,32}$/, 'a keyboard layout such as de')
    .optional(),
});

/** See {@link wifiNetworkSchema}. */
export type WifiNetwork = z.output<typeof wifiNetworkSchema>;
/** The same before it is parsed. */
export type WifiNetworkInput = z.input<typeof wifiNetworkSchema>;
/** See {@link deviceSettingsSchema}. */
export type DeviceSettings = z.output<typeof deviceSettingsSchema>;
/** Settings as a parser found them, not checked yet. */
export type DeviceSettingsInput = z.input<typeof deviceSettingsSchema>;

/** What a file said, and which parts this appliance does not support. */
export interface Findings {
  readonly settings: DeviceSettingsInput;
  readonly ignored: readonly string[];
  /** What of it cannot be used and why; never with a value. */
  readonly problems?: readonly string[];
}

/** Later settings win; networks and keys add up, the later network of a name replacing the earlier. */
export function mergeSettings(earlier: DeviceSettingsInput, later: DeviceSettingsInput): DeviceSettingsInput {
  const names = new Set((later.wifi ?? []).map((network) => network.ssid));
  return {
    ...earlier,
    ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== undefined)),
    sshKeys: [...new Set([...(earlier.sshKeys ?? []), ...(later.sshKeys ?? [])])],
    wifi: [...(earlier.wifi ?? []).filter((network) => !names.has(network.ssid)), ...(later.wifi ?? [])],
  };
}
