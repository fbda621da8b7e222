import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { debianComponents, nativeComponents, npmComponents, withoutLicenceText } from './component.ts';
import { cycloneDxDocument, spdxDocument } from './formats.ts';
import { isAllowed } from './licences.ts';
import { modulesIn } from './modules.ts';

/** Two modules, one inside the other, and one of a scope. */
function withModules<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-modules-'));
  const lay = (path: string, content: object) => {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'package.json'), JSON.stringify(content));
  };
  lay('outer', { name: 'outer', version: '1.0.0', license: 'MIT' });
  lay('outer/node_modules/inner', {
    name: 'inner',
    version: '2.0.0',
    licenses: [{ type: 'MIT' }, { type: 'GPL-2.0' }],
  });
  lay('@scope/one', { name: '@scope/one', version: '3.0.0' });
  mkdirSync(join(folder, '.bin'));
  writeFileSync(join(folder, 'outer', 'LICENSE.md'), 'text');
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('finds modules wherever they are, with their licences', () => {
  const found = withModules(modulesIn).map(({ name, version, licence }) => [name, version, licence]);
  expect(found).toEqual([
    ['@scope/one', '3.0.0', null],
    ['inner', '2.0.0', '(MIT OR GPL-2.0)'],
    ['outer', '1.0.0', 'MIT'],
  ]);
});

test('reports a module without a licence text', () => {
  expect(withModules((folder) => withoutLicenceText(modulesIn(folder)))).toEqual(['@scope/one', 'inner']);
});

test('accepts a licence if one alternative is allowed, or all parts of a combination are', () => {
  expect(['MIT', '(MIT OR GPL-2.0)', 'MIT AND ISC'].map(isAllowed)).toEqual([true, true, true]);
  expect([null, 'GPL-3.0', 'MIT AND GPL-2.0', 'MIT OR ISC AND GPL-2.0', 'UNLICENSED'].map(isAllowed)).toEqual(
    [false, false, false, false, false],
  );
});

const components = [
  ...nativeComponents({ node: '24.21.0', openssl: '3.5.7', modules: '137' }),
  ...npmComponents([{ name: '@koa/router', version: '1.2.3', licence: 'MIT', homepage: null, folder: '' }], {
    packages: {
      'node_modules/@koa/router': {
        version: '1.2.3',
        integrity: `sha512-${Buffer.from('checksum').toString('base64')}`,
      },
    },
  }),
  ...debianComponents('ffmpeg 7:7.1.5-0+deb13u1 arm64 ffmpeg\n'),
];
const subject = { name: 'rushlight', version: '0.2.0', created: new Date('2026-11-30T01:02:03.456Z') };

test('parts have package URLs that tools understand', () => {
  expect(components.map(({ purl }) => purl)).toEqual([
    'pkg:generic/node@24.21.0',
    'pkg:generic/openssl@3.5.7',
    'pkg:npm/%40koa/router@1.2.3',
    'pkg:deb/debian/ffmpeg@7%3A7.1.5-0%2Bdeb13u1?arch=arm64&distro=debian-13',
  ]);
});

test('both lists name every part once, and SPDX relates each to the product', () => {
  const spdx = spdxDocument(subject, components);
  const ids = spdx.packages.map(({ SPDXID }) => SPDXID);
  expect(new Set(ids).size).toBe(components.length + 1);
  expect(ids.every((id) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toBe(true);
  expect(spdx.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(ids.slice(1));
  const cdx = cycloneDxDocument(subject, components);
  expect(cdx.components.map(({ purl }) => purl)).toEqual(components.map(({ purl }) => purl));
  expect(cdx.serialNumber).toMatch(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test('the same parts give the same documents; others do not', () => {
  expect(spdxDocument(subject, components)).toEqual(spdxDocument(subject, components));
  expect(spdxDocument(subject, components.slice(1)).documentNamespace).not.toBe(
    spdxDocument(subject, components).documentNamespace,
  );
});
