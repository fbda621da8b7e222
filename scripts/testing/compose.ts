import { parse } from 'yaml';

/** What the tests use of a service in a compose file. */
export interface ComposeService {
  readonly image: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly devices?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
}

/** The services of a compose file, with its variables filled in as Compose does: `${NAME}` and `${NAME:-default}`. */
export function composeServices(
  text: string,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, ComposeService>> {
  const filled = text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_all, name: string, fallback?: string) => {
    const value = variables[name] ?? fallback;
    if (value === undefined) throw new Error(`the compose file needs ${name}`);
    return value;
  });
  return parse(filled).services;
}
