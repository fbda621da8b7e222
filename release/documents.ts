import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeTree } from './packages.ts';
import { type Hashed, provenanceStatement } from './provenance.ts';
import { debianComponents, nativeComponents, npmComponents, withoutLicenceText } from './sbom/component.ts';
import { cycloneDxDocument, spdxDocument } from './sbom/formats.ts';
import { isAllowed } from './sbom/licences.ts';
import { modulesIn } from './sbom/modules.ts';
import { type Architecture, sha256Of, type Workshop } from './workshop.ts';

/** The lists of parts, in both formats; fails if a part has a licence that nobody agreed to. */
export async function writeLists(workshop: Workshop, arch: Architecture): Promise<void> {
  const modules = modulesIn(join(await makeTree(workshop, arch), 'node_modules'));
  const lock = JSON.parse(readFileSync(join(workshop.source, 'package-lock.json'), 'utf8'));
  const packages = join(workshop.work(`layers/${arch}`), 'packages.txt');
  const components = [
    ...nativeComponents(process.versions),
    ...npmComponents(modules, lock),
    ...(existsSync(packages) ? debianComponents(readFileSync(packages, 'utf8')) : []),
  ];
  const refused = components.filter(({ kind, licence }) => kind !== 'debian' && !isAllowed(licence));
  if (refused.length > 0) {
    const names = refused.map(({ name, licence }) => `${name} (${licence ?? 'none stated'})`);
    throw new Error(`licences that are not on the list in release/sbom/licences.ts: ${names.join(', ')}`);
  }
  const silent = withoutLicenceText(modules);
  if (silent.length > 0)
    process.stdout.write(`modules without the text of their licence: ${silent.join(', ')}\n`);
  const subject = { name: 'rushlight', version: workshop.version, created: workshop.created };
  const write = (ending: string, document: unknown) =>
    writeFileSync(
      workshop.file(`rushlight-${workshop.version}-linux-${arch}.${ending}.json`),
      `${JSON.stringify(document, null, 1)}\n`,
    );
  write('spdx', spdxDocument(subject, components));
  write('cdx', cycloneDxDocument(subject, components));
}

/** Files of the release that are signed one by one: all but the repository, which has signatures of its own. Paths below `out`. */
export function artefacts(out: string): string[] {
  const filesIn = (folder: string) =>
    readdirSync(join(out, folder))
      .map((name) => join(folder, name))
      .filter((path) => statSync(join(out, path)).isFile());
  return [...filesIn('.'), ...(existsSync(join(out, 'channel')) ? filesIn('channel') : [])]
    .filter((path) => !/\.minisig$|^SHA256SUMS|^rushlight\.pub$/.test(path))
    .sort();
}

/** Writes the provenance of a release. */
export async function writeProvenance(workshop: Workshop): Promise<void> {
  const file = `rushlight-${workshop.version}.provenance.json`;
  const lock = join(workshop.source, 'package-lock.json');
  const inputs: Hashed[] = [{ name: basename(lock), sha256: await sha256Of(lock) }];
  for (const arch of workshop.options.architectures) {
    const packages = join(workshop.work(`layers/${arch}`), 'packages.txt');
    if (existsSync(packages))
      inputs.push({ name: `debian-packages-${arch}`, sha256: await sha256Of(packages) });
  }
  const made: Hashed[] = [];
  for (const name of artefacts(workshop.options.out)) {
    if (name !== file) made.push({ name, sha256: await sha256Of(workshop.file(name)) });
  }
  const statement = provenanceStatement({
    version: workshop.version,
    commit: workshop.git('rev-parse', 'HEAD'),
    dirty: workshop.git('status', '--porcelain') !== '',
    created: workshop.created,
    artefacts: made,
    inputs,
    tools: {
      node: process.version,
      npm: workshop.read('npm', ['--version']),
      'g++': firstLine(workshop.read('g++', ['--version'])),
      'dpkg-deb': firstLine(workshop.read('dpkg-deb', ['--version'])),
      xz: firstLine(workshop.read('xz', ['--version'])),
    },
  });
  writeFileSync(workshop.file(file), `${JSON.stringify(statement, null, 1)}\n`);
}

/** Sums, and a signature for every file and for the sums. */
export async function sign(workshop: Workshop): Promise<void> {
  const { keys } = workshop.options;
  const number = readFileSync(join(keys, 'current'), 'utf8').trim();
  const key = join(keys, `sign-${number}.key`);
  writeFileSync(workshop.file('rushlight.pub'), readFileSync(join(keys, `sign-${number}.pub`)));
  const lines: string[] = [];
  for (const name of artefacts(workshop.options.out)) {
    lines.push(`${await sha256Of(workshop.file(name))}  ${name}`);
    signFile(workshop, key, name);
  }
  const sums = 'SHA256SUMS';
  writeFileSync(workshop.file(sums), `${lines.join('\n')}\n`);
  signFile(workshop, key, sums);
}

function signFile(workshop: Workshop, key: string, name: string): void {
  const comment = `Rushlight ${workshop.version} ${name}`;
  workshop.read('minisign', ['-S', '-s', key, '-m', workshop.file(name), '-t', comment]);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
