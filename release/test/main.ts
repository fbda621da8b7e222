import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { run, tryRun } from './run.ts';

/**
 * `npm run release:test [-- --dist FOLDER] [--only LIST]`: what `npm run release` made, on clean machines. Needs root.
 * LIST: lintian, signatures, images, container, install, boot (the virtual image, in QEMU); emulated, which takes an hour, only
 * where it is named.
 */
const source = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: join(source, 'dist') },
    only: { type: 'string', default: 'lintian,signatures,images,container,install,boot' },
  },
});
const chosen = values.only.split(',');
const dist = (ending: string) =>
  readdirSync(values.dist)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(values.dist, name));
const isAgent = (file: string) => basename(file).startsWith('rushlight-agent-');
/** One test, whose output people see while it runs. */
const own = (name: string, args: readonly string[], launcher: readonly string[] = []) => {
  process.stdout.write(`\n== ${name}\n`);
  const command = [...launcher, process.execPath, join(import.meta.dirname, `${name}.ts`), ...args];
  const { status } = spawnSync(command[0] ?? '', command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exitCode = 1;
};
/** A network with loopback alone: the ports that documentation names may be taken on this machine. */
const ownNetwork = ['unshare', '--net', 'sh', '-ec', 'ip link set lo up; exec "$@"', 'own-network'];

/** What `npm run release` made of this commit saves making it again. */
function treeOf(arch: string): string[] {
  const cache = process.env.RUSHLIGHT_CACHE ?? join(source, 'image', 'cache');
  const tree = join(cache, 'release', 'trees', arch);
  const stamp = `${tree}.commit`;
  const commit = run('git', ['-C', source, 'rev-parse', 'HEAD']).trim();
  const fits = existsSync(stamp) && readFileSync(stamp, 'utf8').startsWith(commit);
  return fits ? ['--tree', tree] : [];
}

if (chosen.includes('lintian')) {
  process.stdout.write('== lintian\n');
  for (const deb of dist('.deb')) {
    const args = ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', deb];
    const { status, stdout, stderr } = tryRun('lintian', args);
    process.stdout.write(`${status === 0 ? 'ok' : 'not ok'} - ${basename(deb)}\n${stdout}${stderr}`);
    if (status !== 0) process.exitCode = 1;
  }
}
if (chosen.includes('signatures')) own('signatures', [values.dist]);
if (chosen.includes('images')) own('images', [values.dist]);
if (chosen.includes('container')) {
  const [agents, hubs] = [
    dist('-oci.tar').filter(isAgent),
    dist('-oci.tar').filter((file) => !isAgent(file)),
  ];
  own('container', [hubs[0] ?? '', agents[0] ?? '']);
}
if (chosen.includes('install')) own('install', treeOf('amd64'));
if (chosen.includes('boot')) {
  const [image] = dist('-virt-amd64.img.xz');
  if (image === undefined) process.stdout.write('\n== virtual-image\nleft out: there is no virtual image\n');
  else own('virtual-image', [image], ownNetwork);
}
if (chosen.includes('emulated')) own('emulated', [dist('_arm64.deb')[0] ?? '']);
