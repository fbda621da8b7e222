import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const here = import.meta.dirname;
const passwd = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1::/usr/sbin:/usr/sbin/nologin',
  'sync:x:4:65534::/bin:/bin/sync',
  'rushlight:!*:900:900::/data/rushlight:/usr/sbin/nologin',
  'owner:x:1000:1000::/data/home:/bin/bash',
  '',
].join('\n');
/** The head of a program for x86-64, and for ARM. */
const elf = (machine: number) => Buffer.from([0x7f, 0x45, 0x4c, 0x46, ...Array(14).fill(0), machine, 0]);
const programs = [
  ...['ffmpeg', 'v4l2-ctl', 'rauc', 'qrencode', 'udevadm', 'bash'].map((name) => `usr/bin/${name}`),
  ...['sshd', 'avahi-daemon', 'chronyd', 'nft', 'wpa_supplicant', 'iw', 'blkid'].map(
    (name) => `usr/sbin/${name}`,
  ),
  'usr/lib/rushlight/bin/node',
];
const preset =
  'disable a-timer.service\nenable a.service\nenable b*.service\nenable dbus.service\ndisable *\n';

let tree = '';
const put = (path: string, contents: string | Buffer, mode = 0o644): void => {
  mkdirSync(join(tree, dirname(path)), { recursive: true });
  writeFileSync(join(tree, path), contents);
  chmodSync(join(tree, path), mode);
};
const link = (path: string, target: string): void => {
  mkdirSync(join(tree, dirname(path)), { recursive: true });
  symlinkSync(target, join(tree, path));
};

/** A root that is small, and as it should be. */
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'rushlight-root-'));
  put('etc/passwd', passwd);
  put('etc/shadow', 'root:*:1::::::\nowner:!:1::::::\nrushlight:!*:1::::::\n');
  put('etc/shells', '/bin/sh\n/bin/bash\n');
  put('etc/machine-id', '');
  put('etc/systemd/system/a.service', '[Install]\nWantedBy=multi-user.target\n');
  put('usr/lib/systemd/system/b1.service', '[Install]\nWantedBy=multi-user.target\n');
  put('usr/lib/systemd/system/dbus.service', '[Unit]\n');
  put('usr/lib/systemd/system-preset/10-rushlight.preset', preset);
  link('etc/systemd/system/multi-user.target.wants/a.service', '/etc/systemd/system/a.service');
  link('etc/systemd/system/multi-user.target.wants/b1.service', '/usr/lib/systemd/system/b1.service');
  link('etc/systemd/system/masked.service', '/dev/null');
  put('usr/lib/systemd/system/multi-user.target', '');
  link('etc/systemd/system/default.target', '/usr/lib/systemd/system/multi-user.target');
  link('etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf');
  link('bin', 'usr/bin');
  put('usr/lib/locale/C.utf8/LC_CTYPE', '');
  put('root/.bashrc', '');
  mkdirSync(join(tree, 'home'));
  for (const path of programs) put(path, elf(62), 0o755);
});
afterEach(() => rmSync(tree, { recursive: true }));

function check(): { status: number | null; problems: string[] } {
  const script = `set -euo pipefail; shopt -s inherit_errexit; source "$1/lib/common.sh"; source "$1/lib/check-root.sh"; check_root "$2"`;
  const { status, stderr } = spawnSync('bash', ['-c', script, 'check', here, tree], { encoding: 'utf8' });
  return {
    status,
    problems: stderr
      .split('\n')
      .filter((line) => line.startsWith('    '))
      .map((line) => line.trim()),
  };
}

test('a correct root passes', () => {
  expect(check()).toEqual({ status: 0, problems: [] });
});

test.each<[string, () => void, string]>([
  [
    'pi-gen’s account without a shell',
    () =>
      put('etc/passwd', passwd.replace('1000::/data/home:/bin/bash', '1000::/data/home:/usr/sbin/nologin')),
    'accounts: owner has no shell to log in with (/usr/sbin/nologin)',
  ],
  [
    'a shell that is not there',
    () => put('etc/passwd', passwd.replace('/data/home:/bin/bash', '/data/home:/bin/zsh')),
    'accounts: owner has no shell to log in with (/bin/zsh)',
  ],
  [
    'a home on the root',
    () => put('etc/passwd', passwd.replace('/data/home', '/home/owner')),
    "accounts: owner's home is /home/owner, which is not on the data partition",
  ],
  ['no owner', () => put('etc/passwd', passwd.replace(/^owner.*\n/m, '')), 'accounts: there is no owner'],
  [
    'somebody else who can log in',
    () => put('etc/passwd', `${passwd}pi:x:1001:1001::/home/pi:/bin/bash\n`),
    'accounts: pi can log in (/bin/bash)',
  ],
  ['a password', () => put('etc/shadow', 'root:$y$j9T$abc:1::::::\n'), 'accounts: root has a password'],
  [
    'host keys of SSH',
    () => put('etc/ssh/ssh_host_ed25519_key', '-----BEGIN OPENSSH PRIVATE KEY-----\n'),
    'secrets: etc/ssh/ssh_host_ed25519_key would be the same on every device',
  ],
  [
    'another private key',
    () => put('etc/ssl/private/snakeoil.key', '-----BEGIN PRIVATE KEY-----\n'),
    'secrets: a private key: etc/ssl/private/snakeoil.key',
  ],
  [
    'an id that all would have',
    () => put('etc/machine-id', '0123456789abcdef0123456789abcdef\n'),
    'secrets: etc/machine-id would be the same on every device',
  ],
  [
    'a link to a package that is gone',
    () =>
      link(
        'etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service',
        '/usr/lib/systemd/system/gone',
      ),
    'links: /etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service leads to /usr/lib/systemd/system/gone, which is not there',
  ],
  [
    'a relative link to nothing',
    () => link('usr/bin/tool', '../libexec/tool'),
    'links: /usr/bin/tool leads to /usr/libexec/tool, which is not there',
  ],
  [
    'a unit that is not enabled',
    () => unlinkSync(join(tree, 'etc/systemd/system/multi-user.target.wants/a.service')),
    'units: a.service is not enabled',
  ],
  [
    'one of many that is not enabled',
    () => unlinkSync(join(tree, 'etc/systemd/system/multi-user.target.wants/b1.service')),
    'units: b1.service is not enabled',
  ],
  [
    'a unit that is not there',
    () => unlinkSync(join(tree, 'usr/lib/systemd/system/dbus.service')),
    'units: there is no dbus.service, which the preset enables',
  ],
  [
    'a unit that should be off',
    () => {
      put('usr/lib/systemd/system/a-timer.service', '');
      link('etc/systemd/system/x.wants/a-timer.service', '/usr/lib/systemd/system/a-timer.service');
    },
    'units: a-timer.service is enabled',
  ],
  [
    'another default target',
    () => unlinkSync(join(tree, 'etc/systemd/system/default.target')),
    'units: the default target is not multi-user.target',
  ],
  ['a home of the builder’s account', () => put('home/owner/.bashrc', ''), 'leftovers: /home/owner'],
  ['locales', () => put('usr/share/i18n/locales/de_DE', ''), 'leftovers: /usr/share/i18n'],
  ['compiled locales', () => put('usr/lib/locale/de_DE.utf8/x', ''), 'leftovers: /usr/lib/locale/de_DE.utf8'],
  [
    'a file that everybody may write',
    () => put('usr/bin/open', '', 0o666),
    'leftovers: everybody may write /bin/open',
  ],
  ['no ffmpeg', () => unlinkSync(join(tree, 'usr/bin/ffmpeg')), 'programs: /usr/bin/ffmpeg is missing'],
  [
    'Node.js for another processor',
    () => put('usr/lib/rushlight/bin/node', elf(183), 0o755),
    'programs: Node.js is for another processor than the root',
  ],
  [
    'a board without its programs',
    () => put('usr/lib/modules/6.12-rpi-v8/modules.dep', ''),
    'programs: /usr/bin/rpicam-vid is missing',
  ],
])('%s', (_, break_, problem) => {
  break_();
  const { status, problems } = check();
  expect(problems).toContain(problem);
  expect(status).toBe(1);
});

test('the stages of both flavours end with this check', () => {
  const script = readFileSync(join(here, '../pi-gen-config/stage-rushlight/99-slim/01-run.sh'), 'utf8');
  expect(script).toMatch(/^check_root "\$\{ROOTFS_DIR:\?\}"$/m);
});
