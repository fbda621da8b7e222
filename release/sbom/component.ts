import { licenceFiles, type Module } from './modules.ts';

/** One part of what is delivered, as both formats of the list of parts need it. */
export interface Component {
  readonly kind: 'npm' | 'native' | 'debian';
  readonly name: string;
  readonly version: string;
  /** SPDX expression; null if the package states none in that form (Debian's copyright files). */
  readonly licence: string | null;
  /** Package URL. */
  readonly purl: string;
  /** SHA-512 of the package as the registry serves it, in hex; null if there is none. */
  readonly sha512: string | null;
}

/** Modules, with the checksums of the lock file. Pure. */
export function npmComponents(modules: readonly Module[], lock: LockFile): Component[] {
  return modules.map(({ name, version, licence }) => ({
    kind: 'npm',
    name,
    version,
    licence,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    sha512: integrityOf(name, version, lock),
  }));
}

/** The used part of package-lock.json. */
export interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

function integrityOf(name: string, version: string, { packages }: LockFile): string | null {
  const entry = Object.entries(packages).find(
    ([path, one]) => path.endsWith(`node_modules/${name}`) && one.version === version,
  );
  const encoded = /^sha512-(.+)$/.exec(entry?.[1].integrity ?? '')?.[1];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('hex');
}

/** What Node.js is built from, by the names of `process.versions`; the others there are not programs, or are parts of these. */
const insideNode: Readonly<Record<string, string>> = {
  node: 'MIT',
  acorn: 'MIT',
  ada: 'Apache-2.0 OR MIT',
  amaro: 'MIT',
  ares: 'MIT',
  brotli: 'MIT',
  cjs_module_lexer: 'MIT',
  icu: 'Unicode-3.0',
  llhttp: 'MIT',
  nghttp2: 'MIT',
  openssl: 'Apache-2.0',
  simdjson: 'Apache-2.0 OR MIT',
  simdutf: 'Apache-2.0 OR MIT',
  sqlite: 'blessing',
  undici: 'MIT',
  uv: 'MIT',
  uvwasi: 'MIT',
  v8: 'BSD-3-Clause',
  zlib: 'Zlib',
  zstd: 'BSD-3-Clause',
};

/** Node.js and what is inside. Pure. */
export function nativeComponents(versions: Readonly<Record<string, string | undefined>>): Component[] {
  return Object.entries(insideNode).flatMap(([name, licence]) => {
    const version = versions[name];
    return version === undefined
      ? []
      : [
          {
            kind: 'native' as const,
            name,
            version,
            licence,
            purl: `pkg:generic/${name}@${version}`,
            sha512: null,
          },
        ];
  });
}

/** Lines of `release/pack manifest`: name, version, architecture, source. Pure. */
export function debianComponents(text: string): Component[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', version = '', architecture = ''] = line.split(' ');
      return {
        kind: 'debian',
        name,
        version,
        licence: null,
        purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}&distro=debian-13`,
        sha512: null,
      };
    });
}

/** Names of modules without the text of their licence. */
export function withoutLicenceText(modules: readonly Module[]): string[] {
  return modules.filter(({ folder }) => licenceFiles(folder).length === 0).map(({ name }) => name);
}
