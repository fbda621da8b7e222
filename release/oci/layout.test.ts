import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeLayout } from './layout.ts';

const folder = mkdtempSync(join(tmpdir(), 'rushlight-oci-'));
const layout = join(folder, 'layout');
const tar = (name: string) => join(folder, name);
const input = {
  kind: 'rushlight',
  version: '0.2.0',
  revision: 'abc',
  created: new Date('2026-11-30T04:05:06.789Z'),
  layers: { amd64: [tar('base'), tar('product')], arm64: [tar('base'), tar('product')] },
} as const;

const blob = (digest: string): Buffer => {
  const bytes = readFileSync(join(layout, 'blobs', ...digest.split(':')));
  expect(digest).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  return bytes;
};
const json = (digest: string) => JSON.parse(blob(digest).toString());

beforeAll(() => {
  writeFileSync(tar('base'), 'the lower layer'.repeat(100));
  writeFileSync(tar('product'), 'the upper layer');
  writeLayout(layout, input);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('each blob has the digest and size from its manifest, down to the layers', () => {
  const [named] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
  expect(named.annotations).toEqual({
    'io.containerd.image.name': 'localhost/rushlight:0.2.0',
    'org.opencontainers.image.ref.name': '0.2.0',
  });
  const index = json(named.digest);
  expect(index.manifests.map(({ platform }: { platform: object }) => platform)).toEqual([
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm64', os: 'linux', variant: 'v8' },
  ]);
  for (const { digest, size } of index.manifests) {
    expect(blob(digest).length).toBe(size);
    const { config, layers } = json(digest);
    const { rootfs, created } = json(config.digest);
    expect(created).toBe('2026-11-30T04:05:06Z');
    expect(rootfs.diff_ids).toHaveLength(2);
    for (const [at, layer] of layers.entries()) {
      const bytes = blob(layer.digest);
      expect(bytes.length).toBe(layer.size);
      const plain = createHash('sha256').update(gunzipSync(bytes)).digest('hex');
      expect(rootfs.diff_ids[at]).toBe(`sha256:${plain}`);
    }
  }
});

test('a Docker that reads no layouts finds the image of each processor under a name of its own', () => {
  const listed = JSON.parse(readFileSync(join(layout, 'manifest.json'), 'utf8'));
  expect(listed.map(({ RepoTags }: { RepoTags: string[] }) => RepoTags)).toEqual([
    ['localhost/rushlight:0.2.0-amd64'],
    ['localhost/rushlight:0.2.0-arm64'],
  ]);
  for (const { Config, Layers } of listed) {
    const { rootfs } = JSON.parse(readFileSync(join(layout, Config), 'utf8'));
    const plain = Layers.map((path: string) => gunzipSync(readFileSync(join(layout, path))));
    expect(rootfs.diff_ids).toEqual(
      plain.map((bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`),
    );
  }
});

test('the image runs without root, with a health check and a data folder', () => {
  const [named] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
  const { config } = json(json(json(named.digest).manifests[0].digest).config.digest);
  expect(config.User).toBe('10001:10001');
  expect(config.Volumes).toEqual({ '/data': {} });
  expect(config.Healthcheck.Test[0]).toBe('CMD');
  expect(config.Env).toContain('RUSHLIGHT_DATA=/data');
});

test('the same input gives the same layout', () => {
  const before = readFileSync(join(layout, 'index.json'), 'utf8');
  rmSync(tar('base.gz'));
  rmSync(tar('product.gz'));
  writeLayout(layout, input);
  expect(readFileSync(join(layout, 'index.json'), 'utf8')).toBe(before);
});
