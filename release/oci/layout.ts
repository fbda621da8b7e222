import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { imageConfig, imageKinds, imageName, labelsOf } from './config.ts';

type Architecture = 'amd64' | 'arm64';

/** The uncompressed tars of an image's layers, the lowest first, for each processor. */
export interface ImageInput {
  readonly kind: keyof typeof imageKinds;
  readonly layers: Readonly<Partial<Record<Architecture, readonly string[]>>>;
  readonly version: string;
  readonly revision: string | null;
  readonly created: Date;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/**
 * Writes an OCI layout with one image for several processors. Returns the size of each processor's layers, as they are fetched.
 *
 * Docker reads a layout only if it keeps its images in containerd (from version 29 on by itself). Others read `manifest.json`, as
 * `docker save` writes it. That file knows no processors, so each one's image has a name of its own there.
 */
export function writeLayout(folder: string, input: ImageInput): Map<Architecture, number> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const blobs = new Blobs(folder);
  const kind = imageKinds[input.kind];
  const sizes = new Map<Architecture, number>();
  const name = imageName(input.kind, input.version);
  const forDocker: object[] = [];
  const manifests = (Object.keys(input.layers) as Architecture[]).sort().map((architecture) => {
    const layers = (input.layers[architecture] ?? []).map((tar) => blobs.layer(tar));
    const config = blobs.json(
      types.config,
      imageConfig(kind, { ...input, architecture, diffIds: layers.map(({ diffId }) => diffId) }),
    );
    const descriptors = layers.map(({ descriptor }) => descriptor);
    sizes.set(
      architecture,
      descriptors.reduce((sum, { size }) => sum + size, config.size),
    );
    forDocker.push({
      Config: blobPath(config),
      RepoTags: [`${name}-${architecture}`],
      Layers: descriptors.map(blobPath),
    });
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config, layers: descriptors };
    const platform = { architecture, os: 'linux', ...(architecture === 'arm64' ? { variant: 'v8' } : {}) };
    return { ...blobs.json(types.manifest, manifest), platform };
  });
  const annotations = labelsOf(kind, input);
  const index = blobs.json(types.index, {
    schemaVersion: 2,
    mediaType: types.index,
    manifests,
    annotations,
  });
  const names = {
    // Docker, Podman and containerd.
    'io.containerd.image.name': name,
    'org.opencontainers.image.ref.name': input.version,
  };
  const named = { ...index, annotations: names };
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [named] }),
  );
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(forDocker));
  return sizes;
}

class Blobs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'blobs', 'sha256');
  }

  json(mediaType: string, value: unknown): Descriptor {
    return this.#put(mediaType, Buffer.from(JSON.stringify(value)));
  }

  /** Compresses a tar; one that was compressed before is copied. */
  layer(tar: string): { descriptor: Descriptor; diffId: string } {
    const packed = `${tar}.gz`;
    const note = `${tar}.diffid`;
    if (statSync(packed, { throwIfNoEntry: false }) === undefined) {
      const bytes = readFileSync(tar);
      writeFileSync(note, digestOf(bytes));
      // Without a name and a time: the same tar gives the same bytes.
      writeFileSync(`${packed}.new`, gzipSync(bytes, { level: 9 }));
      renameSync(`${packed}.new`, packed);
    }
    const digest = digestOf(readFileSync(packed));
    copyFileSync(packed, join(this.#folder, digest.slice('sha256:'.length)));
    return {
      descriptor: { mediaType: types.layer, digest, size: statSync(packed).size },
      diffId: readFileSync(note, 'utf8'),
    };
  }

  #put(mediaType: string, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes);
    writeFileSync(join(this.#folder, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  }
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
