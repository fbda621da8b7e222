// Required programs, each with the Debian package that contains it. Plain JavaScript, see prepare.mjs.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Each program by our name for it. */
export const programs = {
  ffmpeg: { package: 'ffmpeg', found: () => onPath('ffmpeg') },
  font: {
    package: 'fonts-dejavu-core',
    found: () => existsSync('/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf'),
  },
  v4l2: { package: 'v4l-utils', found: () => onPath('v4l2-ctl') },
  ip: { package: 'iproute2', found: () => onPath('ip') },
  chromium: { package: 'chromium', found: () => onPath('chromium') },
  mosquitto: { package: 'mosquitto', found: () => onPath('mosquitto') },
  openssl: { package: 'openssl', found: () => onPath('openssl') },
  curl: { package: 'curl', found: () => onPath('curl') },
  git: { package: 'git', found: () => onPath('git') },
  compiler: { package: 'g++', found: () => onPath('g++') },
  dtc: { package: 'device-tree-compiler', found: () => onPath('dtc') },
  mtools: { package: 'mtools', found: () => onPath('mcopy') },
  dosfstools: { package: 'dosfstools', found: () => onPath('mkfs.vfat') },
  sfdisk: { package: 'fdisk', found: () => onPath('sfdisk') },
  mke2fs: { package: 'e2fsprogs', found: () => onPath('mke2fs') },
  shellcheck: { package: 'shellcheck', found: () => onPath('shellcheck') },
  rauc: { package: 'rauc', found: () => onPath('rauc') },
  squashfs: { package: 'squashfs-tools', found: () => onPath('mksquashfs') },
  qrencode: { package: 'qrencode', found: () => onPath('qrencode') },
  faketime: { package: 'faketime', found: () => onPath('faketime') },
  avahi: { package: 'avahi-daemon', found: () => onPath('avahi-daemon') },
  chrony: { package: 'chrony', found: () => onPath('chronyd') },
  python: { package: 'python3', found: () => onPath('python3') },
  make: { package: 'make', found: () => onPath('make') },
  mmdebstrap: { package: 'mmdebstrap', found: () => onPath('mmdebstrap') },
  ssh: { package: 'openssh-client', found: () => onPath('ssh') && onPath('ssh-keygen') },
  qemuAmd64: { package: 'qemu-system-x86', found: () => onPath('qemu-system-x86_64') },
  qemuArm64: { package: 'qemu-system-arm', found: () => onPath('qemu-system-aarch64') },
};

/** The Debian packages of these programs. */
export const packagesOf = (names) => names.map((name) => programs[name].package);

/** What `npm test` needs. */
export const testPrograms = [
  'ffmpeg',
  'font',
  'v4l2',
  'ip',
  'chromium',
  'mosquitto',
  'openssl',
  'curl',
  'git',
  'compiler',
  'make',
  'dtc',
  'mtools',
  'dosfstools',
  'sfdisk',
  'mke2fs',
  'shellcheck',
  'rauc',
  'squashfs',
  'qrencode',
  'faketime',
  'python',
  'avahi',
  'chrony',
];

/** Whether a program can be found on the PATH or in the system's folders. */
export function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}
