/**
 * What the media plane asks of its host to run programs (ffmpeg, rpicam-vid). The supervisor implements it
 * (supervisor/process); the media plane never spawns a process itself.
 */

/** One line a child wrote, without its line end. Lines longer than 8 KiB arrive cut. */
export interface ChildLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** How a child ended. Exactly one of `code` and `signal` is set; both are null if an adopted child's end was not seen. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program to run, and how it ends. */
export interface ChildSpec {
  /** Unique among running children, file-name safe: `capture-cam0`. */
  readonly name: string;
  readonly argv: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Signal that asks for a clean end; the whole process group gets SIGKILL after `stopTimeoutMs`. Default SIGTERM, 5000. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /**
   * A durable child outlives a crash of the supervisor. It runs in a session of its own and writes its output to a file; a
   * restarted supervisor that spawns the same name with the same argv takes over the running one.
   */
  readonly durable?: boolean;
}

/** A running child. Disposing of it stops it. */
export interface Child extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** True if a running process was taken over instead of started. */
  readonly adopted: boolean;
  /** Settles once the process group's leader has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks for a clean end, then kills the group. Idempotent. */
  stop(): Promise<ChildExit>;
}

/** Runs programs for the media plane. */
export interface ChildHost {
  /** Starts (or takes over) a child. Rejects with code `CHILD_SPAWN_FAILED` if the program cannot be started. */
  spawn(spec: ChildSpec, onLine?: (line: ChildLine) => void): Promise<Child>;
}
