/** A file and its SHA-256. */
export interface Hashed {
  readonly name: string;
  readonly sha256: string;
}

/** What a release was built from. */
export interface ProvenanceFacts {
  readonly version: string;
  readonly commit: string | null;
  /** Whether the clone held changes that no commit has. */
  readonly dirty: boolean;
  readonly created: Date;
  readonly artefacts: readonly Hashed[];
  /** What went in: lock file, Node.js, Debian's packages. */
  readonly inputs: readonly Hashed[];
  /** Programs that took part, with the versions they report. */
  readonly tools: Readonly<Record<string, string>>;
}

/** Where the files of a release come from: an in-toto statement with a SLSA 1.0 provenance. Pure. */
export function provenanceStatement(facts: ProvenanceFacts) {
  const digest = ({ name, sha256 }: Hashed) => ({ name, digest: { sha256 } });
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: facts.artefacts.map(digest),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://rushlight.invalid/release/v1',
        externalParameters: { version: facts.version, dirty: facts.dirty },
        internalParameters: {
          sourceDateEpoch: Math.floor(facts.created.getTime() / 1000),
          tools: facts.tools,
        },
        resolvedDependencies: [
          ...(facts.commit === null ? [] : [{ name: 'source', digest: { gitCommit: facts.commit } }]),
          ...facts.inputs.map(digest),
        ],
      },
      runDetails: { builder: { id: 'https://rushlight.invalid/npm-run-release' } },
    },
  };
}
