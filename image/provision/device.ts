import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { editorText } from '../../common/editor-text.ts';
import { hasErrorCode } from '../../common/errors.ts';
import { writeFileAtomic } from '../../common/files.ts';

/** Where provisioning reads and writes: on the device {@link devicePaths}, in tests a folder of their own. */
export interface ProvisionPaths {
  /** Partition 1. */
  readonly card: string;
  /** Files of the system on the data partition. */
  readonly state: string;
  /** Gone at the next boot. */
  readonly run: string;
  readonly sysroot: string;
}

/** The paths on a device. */
export const devicePaths: ProvisionPaths = {
  card: '/boot/rushlight',
  state: '/data/system',
  run: '/run',
  sysroot: '/',
};

/** The contents, or undefined if there is no such file. */
export async function readOptional(path: string): Promise<string | undefined> {
  return (await readOptionalBytes(path))?.toString('utf8');
}

async function readOptionalBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

/** A text that somebody wrote on a PC; undefined if there is no such file. */
export async function readCardText(path: string): Promise<string | undefined> {
  const bytes = await readOptionalBytes(path);
  return bytes === undefined ? undefined : editorText(bytes);
}

/**
 * Replaces a file in one step: a power cut leaves the old one or the new one, and once this has settled, the new one. An
 * unchanged file is not written again.
 */
export async function replaceFile(path: string, contents: string, mode: number): Promise<void> {
  if ((await readOptional(path)) === contents) return;
  await writeFileAtomic(path, contents, { mode });
}

/** Makes a symbolic link, replacing another one. */
export async function pointTo(link: string, target: string): Promise<void> {
  await mkdir(dirname(link), { recursive: true });
  const fresh = `${link}.new`;
  await rm(fresh, { force: true });
  await symlink(target, fresh);
  await rename(fresh, link);
}

/** Runs a tool of the system; the caller decides about its failure. */
export async function runTool(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000 });
  return stdout;
}

/** The board's serial number, or undefined on a machine without one. */
export async function serialNumber(sysroot: string): Promise<string | undefined> {
  for (const path of ['sys/firmware/devicetree/base/serial-number', 'sys/class/dmi/id/product_serial']) {
    const text = (await readOptional(join(sysroot, path)))?.replaceAll('\u0000', '').trim();
    if (text !== undefined && text !== '' && !/^(0+|none|not specified)$/i.test(text)) return text;
  }
  return undefined;
}
