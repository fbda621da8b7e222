/**
 * What the rest of the appliance sees of a program that runs beside it.
 * The shapes are those that the media plane asks of its host; the composition root hands the one to the other.
 */

/** One line a child wrote, without its line end. */
export interface ChildLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** How a child ended. Both are null where an adopted child's end could only be noticed, not awaited. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildSpec {
  /** Unique among running children and file-name safe. */
  readonly name: string;
  readonly argv: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Asks for a clean end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** After this the whole process group gets SIGKILL. Default 5000. */
  readonly stopTimeoutMs?: number;
  /** Outlives a crash of the supervisor and is taken over by the next one. Default false. */
  readonly durable?: boolean;
}

export interface Child extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly adopted: boolean;
  /** Settles once the leader of the process group has ended and its last lines were handed over; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks for a clean end, then kills; settles once the whole group is gone. Idempotent. */
  stop(): Promise<ChildExit>;
}

export type LineListener = (line: ChildLine) => void;

export interface ChildHost {
  spawn(spec: ChildSpec, onLine?: LineListener): Promise<Child>;
}

/** The variables of the service manager that concern the supervisor alone. */
const ownVariables = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
];

/** Names the variable by which a child, and whatever it starts, is recognised as ours. */
export const markVariable = 'RUSHLIGHT_CHILD';

/** The environment of a child: ours without the service manager's part, the spec's, and the mark. */
export function childEnvironment(spec: ChildSpec, mark: string, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(own).filter(([name]) => !ownVariables.includes(name)));
  return { ...inherited, ...spec.env, [markVariable]: mark };
}
