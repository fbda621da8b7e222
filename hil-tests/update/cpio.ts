import { open } from 'node:fs/promises';

interface CpioFile {
  readonly data: Uint8Array;
  readonly mode: number;
}

/** Adds files to an initramfs, in an archive of their own after the existing one; the kernel unpacks one after the other. */
export async function addToInitramfs(path: string, files: Readonly<Record<string, CpioFile>>): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    // The kernel looks for a further archive at multiples of four bytes only.
    const at = Math.ceil(size / 4) * 4;
    await file.truncate(at);
    const archive = cpioArchive(files);
    await file.write(archive, 0, archive.length, at);
  } finally {
    await file.close();
  }
}

/** A file of a cpio archive in the `newc` format. */
function cpioArchive(files: Readonly<Record<string, CpioFile>>): Buffer {
  const entries = [
    ...Object.entries(files).map(([name, { data, mode }]) => entry(name, data, 0o100000 | mode)),
    entry('TRAILER!!!', new Uint8Array(), 0),
  ];
  return padded(Buffer.concat(entries), 512);
}

function entry(name: string, data: Uint8Array, mode: number): Buffer {
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header), 4), padded(Buffer.from(data), 4)]);
}

function padded(data: Buffer, to: number): Buffer {
  return Buffer.concat([data, Buffer.alloc((to - (data.length % to)) % to)]);
}
