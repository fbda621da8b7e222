import { expect, test } from 'vitest';
import { provenanceStatement } from './provenance.ts';

test('names every file, the commit and all inputs', () => {
  const statement = provenanceStatement({
    version: '0.2.0',
    commit: 'c'.repeat(40),
    dirty: false,
    created: new Date(1_700_000_000_000),
    artefacts: [{ name: 'a.deb', sha256: 'a'.repeat(64) }],
    inputs: [{ name: 'package-lock.json', sha256: 'b'.repeat(64) }],
    tools: { xz: '5' },
  });
  expect(statement.subject).toEqual([{ name: 'a.deb', digest: { sha256: 'a'.repeat(64) } }]);
  expect(statement.predicate.buildDefinition).toMatchObject({
    externalParameters: { version: '0.2.0', dirty: false },
    internalParameters: { sourceDateEpoch: 1_700_000_000 },
    resolvedDependencies: [
      { name: 'source', digest: { gitCommit: 'c'.repeat(40) } },
      { name: 'package-lock.json', digest: { sha256: 'b'.repeat(64) } },
    ],
  });
});
