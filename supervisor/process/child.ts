import type { ChildLine, ChildSpec } from '../../common/child-host.ts';

export type { Child, ChildExit, ChildHost, ChildLine, ChildSpec } from '../../common/child-host.ts';

/** Gets each line that a child writes. */
export type LineListener = (line: ChildLine) => void;

/** Environment variables of the service manager that concern only the supervisor. */
const ownVariables = [
  'NOTIFY_SOCKET',
  'RUSHLIGHT_NOTIFY_FD',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
];

/** The name of the variable that marks a child, and everything it starts, as ours. */
export const markVariable = 'RUSHLIGHT_CHILD';

/** The environment of a child: ours without the service manager's part, the spec's, and the mark. */
export function childEnvironment(spec: ChildSpec, mark: string, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(own).filter(([name]) => !ownVariables.includes(name)));
  return { ...inherited, ...spec.env, [markVariable]: mark };
}
