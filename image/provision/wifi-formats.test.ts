import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesIn } from './access-point-linux.ts';
import { importFiles } from './import.ts';
import { accessPointSettings } from './network-settings.ts';
import { deviceSettingsSchema } from './settings.ts';
import { wpaBlocks } from './wpa-blocks.ts';

const nothing = deviceSettingsSchema.parse({});
const imported = (file: string, text: string) => importFiles(new Map([[file, text]]), nothing);

/** What Raspberry Pi Imager 1.x writes if there is no imager_custom: a heredoc with a wpa_supplicant.conf. */
const heredoc = (...lines: string[]) =>
  [
    '#!/bin/bash',
    "cat >/etc/wpa_supplicant/wpa_supplicant.conf <<'WPAEOF'",
    'country=GB',
    'network={',
    ...lines.map((line) => `\t${line}`),
    '}',
    'WPAEOF',
    'exit 0',
  ].join('\n');

/** What somebody may type as a name or a pass phrase. */
const typed = (min: number, max: number) =>
  fc
    .string({ unit: 'grapheme-ascii', minLength: min, maxLength: max })
    .filter((text) => text.trim() === text);

describe('wpa_supplicant blocks', () => {
  test('accepts a pass phrase with braces, quotes and any other sign', () => {
    const { settings, notes } = imported(
      'firstrun.sh',
      heredoc('ssid="Network_Things"', 'psk="A$T@Crlp[}l@"'),
    );
    expect(settings.wifi).toEqual([{ ssid: 'Network_Things', psk: 'A$T@Crlp[}l@', hidden: false }]);
    expect(settings.country).toBe('GB');
    expect(notes).toEqual([]);
  });

  test('preserves any name and any pass phrase', () => {
    fc.assert(
      fc.property(typed(1, 32), typed(8, 63), (ssid, psk) => {
        expect(wpaBlocks(heredoc(`ssid="${ssid}"`, `psk="${psk}"`))).toEqual([
          { network: { ssid, psk, hidden: false } },
        ]);
      }),
    );
  });

  test('never makes an open network, whatever the key', () => {
    fc.assert(
      fc.property(fc.constantFrom('psk', 'sae_password'), fc.string({ minLength: 1 }), (name, value) => {
        const text = heredoc('ssid="Van"', `${name}=${value.replaceAll(/[\r\n]/g, '')}x`);
        for (const { psk } of imported('firstrun.sh', text).settings.wifi) expect(psk).toBeDefined();
      }),
    );
  });

  test.each([
    ['a key without its quotes', ['ssid="Van"', 'psk=tune in tokyo'], /the password .* cannot be read/],
    [
      'a key that lost its last quote',
      ['ssid="Van"', 'psk="tune in tokyo'],
      /the password .* cannot be read/,
    ],
    [
      'a user name',
      ['ssid="Van"', 'key_mgmt=WPA-EAP', 'identity="joe"', 'password="x"'],
      /more than a password/,
    ],
    ['an old kind of key', ['ssid="Van"', 'key_mgmt=NONE', 'wep_key0="abcde"'], /more than a password/],
  ])('leaves out %s with a note', (_, lines, note) => {
    const { settings, notes } = imported('firstrun.sh', heredoc(...lines));
    expect(settings.wifi).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(note)]);
    expect(notes.join()).not.toMatch(/tokyo|joe|abcde/);
  });

  test('reads hidden and open networks, and names in hex', () => {
    const text = [
      heredoc('ssid="Open"', 'key_mgmt=NONE'),
      heredoc('ssid=5ac3bc72696368', 'scan_ssid=1', 'psk="12345678"', '#psk="none"'),
    ].join('\n');
    expect(imported('firstrun.sh', text).settings.wifi).toEqual([
      { ssid: 'Open', hidden: false },
      { ssid: 'Zürich', psk: '12345678', hidden: true },
    ]);
  });

  test('a second start keeps the key if the card has only the redacted block', () => {
    const text = heredoc('ssid="Van"', 'psk="tune in tokyo"');
    const first = imported('firstrun.sh', text);
    const after = first.redacted.get('firstrun.sh') ?? '';
    expect(after).not.toContain('tokyo');
    const second = importFiles(new Map([['firstrun.sh', after]]), first.settings);
    expect(second.settings.wifi).toEqual([{ ssid: 'Van', psk: 'tune in tokyo', hidden: false }]);
    expect(second.notes).toEqual([]);
  });
});

describe('network-config', () => {
  const point = (text: string) =>
    `version: 2\nwifis:\n  wlan0:\n    access-points:\n      "eduroam":\n        ${text}\n`;

  test.each([
    ['a user name', 'auth: {key-management: eap, method: peap, identity: joe, password: topsecret1}'],
    ['802.1X', 'auth: {key-management: 802.1x, password: topsecret1}'],
    ['a method without saying more', 'auth: {method: ttls, password: topsecret1}'],
    ['another kind of network', 'mode: adhoc'],
  ])('notes %s as unsupported and leaves no secret behind', (_, text) => {
    const { settings, notes, redacted } = imported('network-config', point(text));
    expect(settings.wifi).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^network-config: .* more than a password is not joined/)]);
    expect(redacted.get('network-config') ?? '').not.toContain('topsecret1');
  });

  test.each([
    ['a plain key', 'password: topsecret1', 'topsecret1'],
    ['a key in auth', 'auth: {key-management: psk, password: topsecret1}', 'topsecret1'],
    ['digits with zeros before them', 'password: 00123456', '00123456'],
    ['what YAML would take for a number', 'password: 12345678e2', '12345678e2'],
    ['no key', 'hidden: true', undefined],
  ])('%s', (_, text, psk) => {
    const { settings, notes } = imported('network-config', point(text));
    expect(settings.wifi).toMatchObject([{ ssid: 'eduroam', ...(psk === undefined ? {} : { psk }) }]);
    expect(settings.wifi[0]?.psk).toBe(psk);
    expect(notes).toEqual([]);
  });

  test.each([
    ['a key that is a list', 'password: [a, b]'],
    ['a key that is wanted and not there', 'auth: {key-management: psk}'],
  ])('%s makes no open network', (_, text) => {
    const { settings, notes } = imported('network-config', point(text));
    expect(settings.wifi).toEqual([]);
    expect(notes).toEqual(['network-config: the password of a Wi-Fi network cannot be read']);
  });

  test('notes another version and settings that this appliance does not support', () => {
    expect(imported('network-config', 'version: 1\nconfig:\n  - type: physical\n').notes).toEqual([
      'network-config: version 1 of the format is not read; 2 is',
    ]);
    expect(imported('network-config', 'version: 2\nbridges: {br0: {}}\n').notes).toEqual([
      'network-config: bridges is not done by this appliance',
    ]);
  });
});

test('custom.toml: a key that is not text makes no open network', () => {
  const { settings, notes } = imported('custom.toml', '[wlan]\nssid = "Van"\npassword = ["a"]\n');
  expect(settings.wifi).toEqual([]);
  expect(notes).toEqual(['custom.toml: the password of a Wi-Fi network cannot be read']);
});

describe('names and pass phrases are measured in bytes', () => {
  const long = 'あ'.repeat(18);
  test.each([
    ['custom.toml', `[wlan]\nssid = "${long}"\npassword = "12345678"\n`],
    ['network-config', `wifis: {w: {access-points: {"${long}": {password: "12345678"}}}}\n`],
    ['firstrun.sh', heredoc(`ssid="${long}"`, 'psk="12345678"')],
    ['firstrun.sh', `/usr/lib/raspberrypi-sys-mods/imager_custom set_wlan 'Van' '${'ü'.repeat(63)}' 'DE'`],
  ])('%s: rejects only the value that is too long', (file, text) => {
    const earlier = { ...nothing, wifi: [{ ssid: 'Home', psk: '12345678', hidden: false }] };
    const { settings, notes } = importFiles(new Map([[file, text]]), earlier);
    expect(settings.wifi).toEqual(earlier.wifi);
    expect(notes).toEqual([expect.stringMatching(/wifi is not usable: .*bytes/)]);
  });

  test('accepts a name of 10 three-byte letters', () => {
    const ssid = 'あ'.repeat(10);
    expect(imported('custom.toml', `[wlan]\nssid = "${ssid}"\n`).settings.wifi).toMatchObject([{ ssid }]);
  });

  test('shortens the name of the access point to fit, and one bad setting does not affect the others', () => {
    const toml = `[network]\naccess_point = "never"\naccess_point_after_s = 60\naccess_point_ssid = "${long}"\n`;
    expect(accessPointSettings(toml, 'left')).toEqual({ enabled: false, afterMs: 60_000, ssid: 'left' });
    expect(accessPointSettings('', 'a'.repeat(63)).ssid).toHaveLength(32);
  });
});

test('network names as iw prints them', () => {
  const scan = [
    'BSS 00:00:00:00:00:01(on wlan0)',
    '\tSSID: Caf\\xc3\\xa9',
    '\tSSID: Zach\\xe2\\x80\\x99s iPhone',
    '\tSSID: \\x20lead',
    '\tSSID: back\\\\slash \\\\x41',
    '\tSSID: \\x00\\x00\\x00',
    '\tSSID: ',
    '\tSSID: \\xe9t\\xe9',
    '\tSSID: Van',
    '\tSSID: Van',
  ].join('\n');
  expect(namesIn(scan)).toEqual(['Café', 'Zach’s iPhone', ' lead', 'back\\slash \\x41', 'Van']);
});

/** As iw's print_ssid_escaped() has it. */
function asIwPrints(ssid: string): string {
  const bytes = [...Buffer.from(ssid)];
  return bytes
    .map((byte, index) => {
      const isInner = byte === 0x20 && index !== 0 && index !== bytes.length - 1;
      if (byte === 0x5c) return '\\\\';
      if (isInner || (byte > 0x20 && byte < 0x7f)) return String.fromCharCode(byte);
      return `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

test('restores every name from the output of iw', () => {
  const names = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
    .filter(
      (name) =>
        Buffer.byteLength(name) <= 32 &&
        [...name].every((sign) => sign >= ' ' && sign !== '\x7f') &&
        name.isWellFormed(),
    );
  fc.assert(
    fc.property(names, (name) => {
      expect(namesIn(`\tSSID: ${asIwPrints(name)}`)).toEqual([name]);
    }),
  );
});
