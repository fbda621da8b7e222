import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageInput, writeLayout } from './oci/layout.ts';
import { debianVersion } from './version.ts';
import type { Architecture, Workshop } from './workshop.ts';

/** The product for each processor, made once for all packages. */
export async function makeTree(workshop: Workshop, arch: Architecture): Promise<string> {
  const tree = join(workshop.work('trees'), arch);
  const stamp = `${tree}.commit`;
  const wanted = `${workshop.git('rev-parse', 'HEAD')} ${workshop.git('status', '--porcelain')}`;
  // What was changed without a commit has no name that could be compared.
  if (wanted.endsWith(' ') && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return tree;
  rmSync(tree, { recursive: true, force: true });
  await workshop.pack('tree', '--arch', arch, '--out', tree);
  writeFileSync(stamp, wanted);
  return tree;
}

/** Makes the tarball of an architecture. */
export async function makeTarball(workshop: Workshop, arch: Architecture): Promise<void> {
  await workshop.pack(
    'tarball',
    '--arch',
    arch,
    '--tree',
    await makeTree(workshop, arch),
    '--out',
    workshop.options.out,
  );
}

/** Makes the Debian package of an architecture. */
export async function makeDeb(workshop: Workshop, arch: Architecture): Promise<void> {
  await workshop.pack(
    'deb',
    '--arch',
    arch,
    '--tree',
    await makeTree(workshop, arch),
    '--out',
    workshop.options.out,
  );
}

/** The packages for every processor, and the repository of all of them. */
export async function makeRepository(workshop: Workshop): Promise<void> {
  await workshop.pack('agent', '--out', workshop.options.out);
  await workshop.pack('keyring', '--out', workshop.options.out);
  const version = debianVersion(workshop.version);
  const packages = [
    ...workshop.options.architectures.map((arch) => `rushlight_${version}_${arch}.deb`),
    `rushlight-agent_${version}_all.deb`,
    `rushlight-archive-keyring_${version}_all.deb`,
  ].map((name) => workshop.file(name));
  await workshop.pack('apt', '--out', workshop.file('apt'), ...packages);
}

/** The layers of both container images for a processor, and the list of Debian's packages in them. */
export async function makeLayers(workshop: Workshop, arch: Architecture): Promise<void> {
  const out = workshop.work(`layers/${arch}`);
  rmSync(out, { recursive: true, force: true });
  await workshop.pack('oci-layers', '--arch', arch, '--tree', await makeTree(workshop, arch), '--out', out);
}

/** Both container images as one file each, which skopeo, podman and docker read. Returns the bytes that each processor fetches. */
export async function makeImages(workshop: Workshop): Promise<Map<string, number>> {
  const fetched = new Map<string, number>();
  const kinds = {
    rushlight: ['debian', 'node', 'modules', 'product'],
    'rushlight-agent': ['debian', 'node', 'agent'],
  } as const;
  for (const [kind, names] of Object.entries(kinds) as [ImageInput['kind'], readonly string[]][]) {
    const layers = Object.fromEntries(
      workshop.options.architectures.map((arch) => [
        arch,
        names.map((name) => join(workshop.work(`layers/${arch}`), `${name}.tar`)),
      ]),
    );
    const layout = join(workshop.work('oci'), kind);
    const { version, created } = workshop;
    const sizes = writeLayout(layout, {
      kind,
      layers,
      version,
      revision: workshop.git('rev-parse', 'HEAD'),
      created,
    });
    for (const [arch, size] of sizes) fetched.set(`${kind} ${arch}`, size);
    const file = workshop.file(`${kind}-${version}-oci.tar`);
    const time = `@${created.getTime() / 1000}`;
    await workshop.run('tar', [
      ...['--create', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=${time}`],
      ...['--mode=u=rwX,go=rX', '--file', file, '--directory', layout],
      ...['oci-layout', 'index.json', 'manifest.json', 'blobs'],
    ]);
  }
  return fetched;
}
