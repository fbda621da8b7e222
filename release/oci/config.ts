import { isoSeconds } from '../iso-seconds.ts';

/** What differs between the two images. */
export interface ImageKind {
  readonly title: string;
  readonly description: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volume: string | null;
  readonly healthcheck: readonly string[] | null;
}

const node = '/usr/lib/rushlight/bin/node';
const path = '/usr/lib/rushlight/bin:/usr/bin';

/** What each image contains. */
export const imageKinds: Readonly<Record<'rushlight' | 'rushlight-agent', ImageKind>> = {
  rushlight: {
    title: 'Rushlight',
    description: 'Camera hub and lossless recorder',
    entrypoint: [
      'tini',
      '--',
      node,
      '--max-semi-space-size=2',
      '--max-old-space-size=320',
      '/usr/lib/rushlight/supervisor/main.ts',
    ],
    env: {
      PATH: path,
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: '/data/cache/v8',
      RUSHLIGHT_CONFIG: '/etc/rushlight/rushlight.toml',
      RUSHLIGHT_DATA: '/data',
      // The root is read-only, and /tmp with it.
      TMPDIR: '/data',
    },
    ports: ['8080/tcp', '8443/tcp', '8189/udp', '8189/tcp'],
    volume: '/data',
    healthcheck: [node, '/usr/lib/rushlight/healthcheck.mjs'],
  },
  'rushlight-agent': {
    title: 'Rushlight agent',
    description: 'Sends the pictures of a camera to a Rushlight hub',
    entrypoint: ['tini', '--', 'sh', '/usr/bin/rushlight-agent'],
    env: { PATH: path },
    ports: [],
    volume: null,
    healthcheck: null,
  },
};

/** Facts about one image. */
export interface ImageFacts {
  readonly version: string;
  /** Commit of the sources; null outside a clone. */
  readonly revision: string | null;
  readonly created: Date;
  readonly architecture: 'amd64' | 'arm64';
  /** Digests of the layers before compression, the lowest first. */
  readonly diffIds: readonly string[];
}

/** The name that an engine gives the image when it loads the file; it is of no registry, so nothing is fetched under it. */
export function imageName(kind: keyof typeof imageKinds, version: string): string {
  return `localhost/${kind}:${version}`;
}

/** Labels of the image and annotations of its manifests. */
export function labelsOf(
  kind: ImageKind,
  { version, revision, created }: Omit<ImageFacts, 'diffIds' | 'architecture'>,
) {
  return {
    'org.opencontainers.image.title': kind.title,
    'org.opencontainers.image.description': kind.description,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.created': isoSeconds(created),
    'org.opencontainers.image.licenses': 'Apache-2.0',
    ...(revision === null ? {} : { 'org.opencontainers.image.revision': revision }),
  };
}

/**
 * The configuration of an OCI image. The specification has no health check; Docker and Podman read it where Docker's own format
 * has it, and others ignore it.
 */
export function imageConfig(kind: ImageKind, facts: ImageFacts) {
  const created = isoSeconds(facts.created);
  return {
    created,
    architecture: facts.architecture,
    os: 'linux',
    ...(facts.architecture === 'arm64' ? { variant: 'v8' } : {}),
    config: {
      User: '10001:10001',
      Env: Object.entries(kind.env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: kind.entrypoint,
      WorkingDir: kind.volume ?? '/',
      StopSignal: 'SIGTERM',
      Labels: labelsOf(kind, facts),
      ...(kind.ports.length > 0
        ? { ExposedPorts: Object.fromEntries(kind.ports.map((port) => [port, {}])) }
        : {}),
      ...(kind.volume === null ? {} : { Volumes: { [kind.volume]: {} } }),
      ...(kind.healthcheck === null
        ? {}
        : {
            Healthcheck: {
              Test: ['CMD', ...kind.healthcheck],
              Interval: 30e9,
              Timeout: 10e9,
              StartPeriod: 30e9,
              Retries: 3,
            },
          }),
    },
    rootfs: { type: 'layers', diff_ids: facts.diffIds },
    history: facts.diffIds.map(() => ({ created, created_by: 'release/oci' })),
  };
}
