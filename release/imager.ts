/** A compressed disk image, as Raspberry Pi Imager needs to know it. */
export interface ImagerImage {
  readonly version: string;
  /** Where releases are fetched from, without a slash at the end. */
  readonly baseUrl: string;
  readonly fileName: string;
  /** The map of the image's used blocks; null if there is none. */
  readonly bmapName: string | null;
  readonly released: Date;
  readonly extractedBytes: number;
  readonly extractedSha256: string;
  readonly downloadBytes: number;
  readonly downloadSha256: string;
}

/** Boards that the image starts on, by Imager's tags, 64 bits. */
const imagerDevices = ['pi5-64bit', 'pi4-64bit', 'pi3-64bit'] as const;

/**
 * The list that Imager reads with its option `--repo`, or under "Content Repository". `cloudinit-rpi` makes it write `user-data` and
 * `network-config` to the first partition, where image/provision looks for them. Pure.
 */
export function imagerRepository(image: ImagerImage) {
  return {
    os_list: [
      {
        name: `Rushlight ${image.version} (64-bit)`,
        description: 'Hub or camera of a Rushlight camera system',
        icon: `${image.baseUrl}/rushlight.svg`,
        url: `${image.baseUrl}/${image.fileName}`,
        release_date: image.released.toISOString().slice(0, 10),
        extract_size: image.extractedBytes,
        extract_sha256: image.extractedSha256,
        image_download_size: image.downloadBytes,
        image_download_sha256: image.downloadSha256,
        devices: [...imagerDevices],
        init_format: 'cloudinit-rpi',
        architecture: 'armv8',
        ...(image.bmapName === null ? {} : { bmap_url: `${image.baseUrl}/${image.bmapName}` }),
      },
    ],
  };
}
