import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { editorText } from '../../common/editor-text.ts';
import { errorCode } from '../../common/errors.ts';
import type { ConfigProblem } from './problem.ts';

const maxBytes = 1024 * 1024;

/** A config file as it was read. */
export type FoundConfig =
  | { readonly state: 'missing' }
  | { readonly state: 'unreadable'; readonly problem: ConfigProblem }
  | { readonly state: 'read'; readonly text: string };

/** Reads the file's text. Never rejects: a read error is reported as a problem. */
export async function readConfigFile(file: string): Promise<FoundConfig> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) return unreadable(1, `larger than ${maxBytes} bytes`);
    return decodeConfig(await readFile(file));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { state: 'missing' };
    if (errorCode(error) === 'EISDIR') return unreadable(1, 'a folder, not a settings file');
    return unreadable(1, `cannot be read: ${errorCode(error) ?? String(error)}`);
  }
}

/** A path that a config names; a relative one starts at the folder of the config. */
export function resolveConfigPath(configFile: string, path: string): string {
  return resolve(dirname(configFile), path);
}

/** UTF-8 with or without byte order mark, UTF-16 with one; anything else is a problem on its line. */
export function decodeConfig(bytes: Uint8Array): FoundConfig {
  try {
    return { state: 'read', text: editorText(bytes, { fatal: true }) };
  } catch {
    // The decoder only says that the text is not UTF-8; the code below finds where.
    return unreadable(firstBrokenLine(bytes), 'not UTF-8 text');
  }
}

function firstBrokenLine(bytes: Uint8Array): number {
  const lossy = new TextDecoder('utf-8').decode(bytes);
  return lossy.slice(0, Math.max(0, lossy.indexOf('\uFFFD'))).split('\n').length;
}

function unreadable(line: number, message: string): FoundConfig {
  return { state: 'unreadable', problem: { line, key: '', message, expected: null, nearest: null } };
}
