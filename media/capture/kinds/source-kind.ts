import type { z } from 'zod';
import type { CamelCased } from '../../../common/camel-case.ts';
import type { CaptureCommand, CaptureTargets, RawStream, SourceBase } from '../types.ts';

/** The camera of this machine that was assigned to a source. */
export interface GivenCamera {
  readonly id: string;
  /** What to open now: a device path, or libcamera's number. */
  readonly address: string;
}

/** The mode that settings ask for; unset fields are open. */
export interface ModeWish {
  readonly format: 'auto' | 'mjpeg' | 'yuyv' | 'nv12' | 'h264';
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

/** What the machine offers a kind of source while its settings become a {@link SourceBase}. */
export interface SourceMachine {
  /** Null if the source opens no camera of this machine. */
  readonly camera: GivenCamera | null;
  /** The mode of the given camera that is nearest to the requested one; null if nothing is known about it. */
  modeOf(wish: ModeWish): (ModeWish & { readonly format: 'mjpeg' | 'yuyv' | 'nv12' | 'h264' }) | null;
  /** Absolute path of a file that the settings name. */
  path(named: string): string;
  /** Content of a password file that the settings name. Rejects with the system's error. */
  secret(named: string): Promise<string>;
  /** A file for as long as the source runs: `cam0.pts`. */
  runFile(name: string): string;
  /** Runs a program to its end and returns the lines of its standard output. Rejects if it cannot be started. */
  readonly run: (argv: readonly [program: string, ...args: string[]]) => Promise<readonly string[]>;
}

/** How a kind of source uses the cameras of this machine. */
export interface CameraUse<Settings> {
  /** Which cameras it can open. */
  readonly opens: 'rpicam' | 'v4l2';
  /** Id, path or number of the camera in the settings; null: any free one. */
  named(settings: Settings): string | null;
  /** Sentence for people if there is no such camera. */
  missing(settings: Settings): string;
}

/** Settings in code, as a kind's schema gives them. */
export type SettingsOf<Schema extends z.ZodType> = CamelCased<z.output<Schema>>;

/**
 * A kind of source: everything the rest of the program asks about it. Each kind has a folder of its own and one line in
 * registry.ts; no other code compares the name of a kind.
 */
export interface SourceKind<Schema extends z.ZodType, Spec extends SourceBase> {
  /** What a `[[source]]` of this kind may say; its `kind` is the name in registry.ts. */
  readonly settings: Schema;
  /** Absent: it opens no camera of this machine. */
  readonly camera?: CameraUse<SettingsOf<Schema>>;
  /** What its timestamps are, live and raw. */
  readonly clock: RawStream['clock'];
  /**
   * Everything its pipeline needs: open settings are chosen, files are read. Two equal answers mean that a running pipeline
   * stays as it is. Rejects if that is not possible now; it is asked again later.
   */
  specOf(settings: SettingsOf<Schema>, machine: SourceMachine): Promise<Spec>;
  /** What arrives: H.264 that is copied, JPEG pictures that can be copied, or frames. */
  sends(spec: Spec): 'h264' | 'jpeg' | 'frames';
  /** Sentence for people that says why H.264 is copied, if it is not a camera that sends it. */
  readonly copyReason?: string;
  /** Builds the pipeline. Pure. @throws SourceSpecError */
  build(spec: Spec, targets: CaptureTargets): CaptureCommand;
  /** File whose change changes the answer of `specOf`. */
  watches?(spec: Spec): string;
}

/** Lets the compiler infer the types of a kind. */
export function sourceKind<Schema extends z.ZodType, Spec extends SourceBase>(
  kind: SourceKind<Schema, Spec>,
): SourceKind<Schema, Spec> {
  return kind;
}
