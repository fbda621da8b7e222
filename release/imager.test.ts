import { expect, test } from 'vitest';
import { z } from 'zod';
import { imagerRepository } from './imager.ts';

/** What Imager's doc/json-schema/os-list-schema.json (2.0) asks of an entry with a file. */
const entrySchema = z.object({
  name: z.string().min(1),
  description: z.string(),
  icon: z.url(),
  url: z.url(),
  extract_size: z.int().positive(),
  extract_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  image_download_size: z.int().positive(),
  image_download_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  release_date: z.iso.date(),
  devices: z.array(z.string()).min(1),
  init_format: z.enum(['', 'systemd', 'cloudinit', 'cloudinit-rpi', 'rpi-preseed', 'none']),
  architecture: z.enum(['armel', 'armhf', 'armv8']),
  bmap_url: z.url().optional(),
});

const image = {
  version: '0.2.0',
  baseUrl: 'https://example.org/rushlight',
  fileName: 'rushlight-0.2.0-raspberrypi-arm64.img.xz',
  bmapName: 'rushlight-0.2.0-raspberrypi-arm64.img.bmap',
  released: new Date('2026-11-30T23:59:59Z'),
  extractedBytes: 1_589_641_216,
  extractedSha256: 'a'.repeat(64),
  downloadBytes: 280_000_000,
  downloadSha256: 'b'.repeat(64),
};

test('the list has everything that Imager needs and the format that first boot reads', () => {
  const list = imagerRepository(image);
  const [entry] = z.strictObject({ os_list: z.array(entrySchema).length(1) }).parse(list).os_list;
  expect(entry).toMatchObject({
    url: 'https://example.org/rushlight/rushlight-0.2.0-raspberrypi-arm64.img.xz',
    bmap_url: 'https://example.org/rushlight/rushlight-0.2.0-raspberrypi-arm64.img.bmap',
    init_format: 'cloudinit-rpi',
    release_date: '2026-11-30',
    extract_size: 1_589_641_216,
    image_download_size: 280_000_000,
  });
});

test('without a block map it lists no address of one', () => {
  expect(imagerRepository({ ...image, bmapName: null }).os_list[0]).not.toHaveProperty('bmap_url');
});
