import type { DeviceControl, DeviceFormat } from '../../contract/index.ts';
import type { RunCommand } from '../run-command.ts';
import { type LibcameraCamera, parseCameraList } from './rpicam-text.ts';
import { parseControls } from './v4l2-controls.ts';
import { parseFormats } from './v4l2-formats.ts';
import { isCapture, type NodeInfo, parseInfo } from './v4l2-info.ts';

/** What a node said about itself, or why it could not. */
export type NodeProbe =
  | {
      readonly kind: 'camera';
      readonly info: NodeInfo;
      readonly formats: DeviceFormat[];
      readonly controls: DeviceControl[];
    }
  /** For metadata, output or conversion. */
  | { readonly kind: 'other' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Asks a node what it is: one run of v4l2-ctl. */
export async function probeNode(run: RunCommand, path: string): Promise<NodeProbe> {
  const result = await run([
    'v4l2-ctl',
    '--device',
    path,
    '--all',
    '--list-formats-ext',
    '--list-ctrls-menus',
  ]);
  const info = parseInfo(result.stdout);
  if (info === null) return { kind: 'failed', reason: failure('v4l2-ctl', result.stderr) };
  if (!isCapture(info)) return { kind: 'other' };
  const formats = parseFormats(result.stdout);
  return { kind: 'camera', info, formats, controls: parseControls(result.stdout) };
}

/** What libcamera said about the camera modules, or why it could not. */
export type LibcameraProbe =
  | { readonly kind: 'cameras'; readonly cameras: readonly LibcameraCamera[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** Asks libcamera for camera modules: one run of rpicam-hello. */
export async function probeLibcamera(run: RunCommand): Promise<LibcameraProbe> {
  const result = await run(['rpicam-hello', '--list-cameras']);
  // Builds differ in whether the list or the log goes to stdout.
  const text = `${result.stdout}\n${result.stderr}`;
  const cameras = parseCameraList(text);
  if (cameras.length > 0 || /No cameras available/.test(text)) return { kind: 'cameras', cameras };
  return { kind: 'failed', reason: failure('rpicam-hello', result.stderr) };
}

function failure(program: string, stderr: string): string {
  if (stderr.includes('ENOENT')) return `${program} is not installed`;
  return stderr.trim().split('\n').at(-1) || `${program} says nothing about it`;
}
