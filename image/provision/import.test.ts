import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUserData } from './cloud-init.ts';
import { ProvisionFileError } from './errors.ts';
import { shellWords } from './firstrun.ts';
import { importedFiles, importFiles } from './import.ts';
import { redact } from './redact.ts';
import { deviceSettingsSchema } from './settings.ts';

const nothing = deviceSettingsSchema.parse({});
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDLwL3UVWIxSpya6Xvp4LjQ54WkDgAGmNs8Sz1UCnMWO me@laptop';
const hash = '$5$KwtRy3Y0Kn$SO1r8SyNa.NaX2iZ2wBbrKbDmrPjjmY4W1zQ/CmjFz2';

/** In the form Raspberry Pi Imager 2.0 writes for images that declare cloudinit-rpi. */
const userData = `#cloud-config
manage_resolv_conf: false

hostname: Stage-Left
manage_etc_hosts: true
packages:
- avahi-daemon
apt:
  preserve_sources_list: true
timezone: Europe/Berlin
keyboard:
  model: pc105
  layout: "de"
users:
- name: alice
  groups: users,adm,dialout,audio,netdev,video
  shell: /bin/bash
  lock_passwd: false
  passwd: ${hash}
  ssh_authorized_keys:
    - ${key}
  sudo: ALL=(ALL) NOPASSWD:ALL
enable_ssh: true
ssh_pwauth: false
`;
const networkConfig = `network:
  version: 2
  renderer: NetworkManager
  wifis:
    wlan0:
      dhcp4: true
      regulatory-domain: "DE"
      access-points:
        "Studio \\"1\\"":
          password: "correct horse battery"
      optional: true
`;
/** In the form of Raspberry Pi Imager 1.8. */
const firstRun = `#!/bin/bash
set +e
CURRENT_HOSTNAME=$(cat /etc/hostname | tr -d " \\t\\n\\r")
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_hostname stage-right
else
   echo stage-right >/etc/hostname
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom enable_ssh -k '${key}'
fi
if [ -f /usr/lib/userconf-pi/userconf ]; then
   /usr/lib/userconf-pi/userconf 'bob' '${hash}'
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_wlan 'It'"'"'s ours' '3f1a0000000000000000000000000000000000000000000000000000000000aa' 'GB'
   /usr/lib/raspberrypi-sys-mods/imager_custom set_keymap 'gb'
   /usr/lib/raspberrypi-sys-mods/imager_custom set_timezone 'Europe/London'
fi
rm -f /boot/firstrun.sh
exit 0
`;
const customToml = `config_version = 1
[system]
hostname = "stage-mid"
[user]
name = "carol"
password = "${hash}"
password_encrypted = true
[ssh]
enabled = true
authorized_keys = ["${key}"]
[wlan]
ssid = "Van"
password = "tune in tokyo"
country = "jp"
[locale]
timezone = "Asia/Tokyo"
`;

describe('files that Imager writes', () => {
  test('cloud-init', () => {
    const files = new Map([
      ['user-data', userData],
      ['network-config', networkConfig],
    ]);
    const { settings, redacted, notes } = importFiles(files, nothing);
    expect(settings).toEqual({
      hostname: 'stage-left',
      user: 'alice',
      sshKeys: [key],
      country: 'DE',
      wifi: [{ ssid: 'Studio "1"', psk: 'correct horse battery', hidden: false }],
      timeZone: 'Europe/Berlin',
      keymap: 'de',
    });
    expect(notes).toEqual(['user-data: manage_resolv_conf is not done by this appliance']);
    expect(redacted.get('user-data')).not.toContain(hash);
    expect(redacted.get('user-data')).toContain(key);
    expect(redacted.get('network-config')).not.toContain('correct horse');
  });

  test('firstrun.sh', () => {
    const { settings, redacted } = importFiles(new Map([['firstrun.sh', firstRun]]), nothing);
    expect(settings).toMatchObject({
      hostname: 'stage-right',
      user: 'bob',
      sshKeys: [key],
      country: 'GB',
      timeZone: 'Europe/London',
      keymap: 'gb',
    });
    expect(settings.wifi).toEqual([{ ssid: "It's ours", psk: `3f1a${'0'.repeat(58)}aa`, hidden: false }]);
    expect(redacted.get('firstrun.sh')).not.toContain('3f1a0000');
    expect(redacted.get('firstrun.sh')).not.toContain(hash);
  });

  test.each(['custom.toml', 'rpi-preseed.toml'])('%s', (name) => {
    const { settings, redacted } = importFiles(new Map([[name, customToml]]), nothing);
    expect(settings).toMatchObject({
      hostname: 'stage-mid',
      user: 'carol',
      country: 'JP',
      timeZone: 'Asia/Tokyo',
    });
    expect(settings.wifi).toEqual([{ ssid: 'Van', psk: 'tune in tokyo', hidden: false }]);
    expect(redacted.get(name)).not.toMatch(/tune in tokyo|\$5\$/);
  });
});

test('a second boot finds nothing new, changes nothing and keeps what it knows', () => {
  const files = new Map([
    ['user-data', userData],
    ['network-config', networkConfig],
    ['firstrun.sh', firstRun],
  ]);
  const first = importFiles(files, nothing);
  const after = new Map([...files].map(([name, text]) => [name, first.redacted.get(name) ?? text]));
  const second = importFiles(after, first.settings);
  expect(second.redacted.size).toBe(0);
  expect(second.settings.wifi).toEqual(first.settings.wifi);
  expect(second.settings).toEqual(first.settings);
});

test('does the same with only the script on the card', () => {
  const first = importFiles(new Map([['firstrun.sh', firstRun]]), nothing);
  const after = new Map([['firstrun.sh', first.redacted.get('firstrun.sh') ?? '']]);
  expect(importFiles(after, first.settings).settings).toEqual(first.settings);
});

test('one bad value does not affect the others, and no note contains a secret', () => {
  const bad = userData.replace('Europe/Berlin', '"../../etc/shadow"').replace(key, 'not a key');
  const { settings, notes } = importFiles(
    new Map([
      ['user-data', bad],
      ['network-config', networkConfig.replace('correct horse battery', 'short')],
    ]),
    nothing,
  );
  expect(settings).toMatchObject({ hostname: 'stage-left', user: 'alice', sshKeys: [], wifi: [] });
  expect(settings.timeZone).toBeUndefined();
  expect(notes.join('\n')).toMatch(/timeZone/);
  expect(notes.join('\n')).not.toMatch(/short|shadow/);
});

test('reports invalid YAML as such', () => {
  expect(() => parseUserData('a: [')).toThrow(ProvisionFileError);
  expect(importFiles(new Map([['user-data', '- a\n- b']]), nothing).notes).toEqual([
    'user-data: expected a mapping of keys',
  ]);
});

test('survives any text in any file, and redaction is stable', () => {
  const known = Object.keys(importedFiles);
  const mutated = fc.constantFrom(userData, networkConfig, firstRun, customToml).chain((text) =>
    fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(40),
      put: fc.string({ maxLength: 10 }),
      text: fc.constant(text),
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...known), mutated, (name, { text, at, cut, put }) => {
      const damaged = text.slice(0, at) + put + text.slice(at + cut);
      const { settings, redacted } = importFiles(new Map([[name, damaged]]), nothing);
      expect(deviceSettingsSchema.parse(settings)).toEqual(settings);
      const once = redacted.get(name) ?? damaged;
      expect(redact(once, [])).toBe(once);
    }),
    { numRuns: 1000 },
  );
});

test('splits a shell command into words', () => {
  expect(shellWords(`a 'b c' "d \\"e\\"" f\\ g 'h'"'"'i'`)).toEqual(['a', 'b c', 'd "e"', 'f g', "h'i"]);
});
