import { SpawningChildHost } from '../common/child-host.fake.ts';
import type { ChildHost } from '../common/child-host.ts';

/** Runs real programs, with `env` in addition to each spec's own. */
export function plainChildHost(env: Record<string, string> = {}): ChildHost {
  const host = new SpawningChildHost();
  return { spawn: (spec, onLine) => host.spawn({ ...spec, env: { ...env, ...spec.env } }, onLine) };
}
