import { createHash } from 'node:crypto';
import { isoSeconds } from '../iso-seconds.ts';
import type { Component } from './component.ts';

/** What a list of parts is about. */
export interface Subject {
  readonly name: string;
  readonly version: string;
  readonly created: Date;
}

/** SPDX 2.3 as JSON. The same parts give the same document. Pure. */
export function spdxDocument({ name, version, created }: Subject, components: readonly Component[]) {
  const root = 'SPDXRef-Product';
  const packages = components.map((component) => ({
    SPDXID: idOf(component),
    name: component.name,
    versionInfo: component.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: component.licence ?? 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    ...(component.kind === 'debian'
      ? { comment: `The licences are in /usr/share/doc/${component.name}/copyright.` }
      : {}),
    ...(component.sha512 === null
      ? {}
      : { checksums: [{ algorithm: 'SHA512', checksumValue: component.sha512 }] }),
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: component.purl },
    ],
  }));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name} ${version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${version}-${uuidOf(components)}`,
    creationInfo: { created: isoSeconds(created), creators: ['Tool: rushlight-release'] },
    documentDescribes: [root],
    packages: [
      {
        SPDXID: root,
        name,
        versionInfo: version,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        licenseConcluded: 'Apache-2.0',
        licenseDeclared: 'Apache-2.0',
        copyrightText: 'NOASSERTION',
      },
      ...packages,
    ],
    relationships: components.map((component) => ({
      spdxElementId: root,
      relationshipType: 'CONTAINS',
      relatedSpdxElement: idOf(component),
    })),
  };
}

/** CycloneDX 1.6 as JSON. The same parts give the same document. Pure. */
export function cycloneDxDocument({ name, version, created }: Subject, components: readonly Component[]) {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(components)}`,
    version: 1,
    metadata: {
      timestamp: isoSeconds(created),
      component: {
        type: 'application',
        'bom-ref': 'product',
        name,
        version,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: components.map((component) => ({
      type: 'library',
      'bom-ref': component.purl,
      name: component.name,
      version: component.version,
      ...(component.licence === null ? {} : { licenses: licenceOf(component.licence) }),
      purl: component.purl,
      ...(component.sha512 === null ? {} : { hashes: [{ alg: 'SHA-512', content: component.sha512 }] }),
    })),
    dependencies: [{ ref: 'product', dependsOn: components.map(({ purl }) => purl) }],
  };
}

function licenceOf(expression: string) {
  return /\s/.test(expression) ? [{ expression }] : [{ license: { id: expression } }];
}

function idOf({ kind, name, version }: Component): string {
  return `SPDXRef-${kind}-${name}-${version}`.replace(/[^A-Za-z0-9.-]+/g, '-');
}

/** A UUID of version 8 from the parts. */
function uuidOf(components: readonly Component[]): string {
  const hex = createHash('sha256')
    .update(components.map(({ purl }) => purl).join('\n'))
    .digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
