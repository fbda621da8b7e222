import type { ChildLine, ChildSpec } from '../../common/child-host.ts';

export type { Child, ChildExit, ChildHost, ChildLine, ChildSpec } from '../../common/child-host.ts';

export type LineListener = (line: ChildLine) => void;

/** The variables of the service manager that concern the supervisor alone. */
const ownVariables = [
  'NOTIFY_SOCKET',
  'RUSHLIGHT_NOTIFY_FD',
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
