/**
 * Host name by precedence: `name` of rushlight.toml, what Imager said, `rushlight-` and the last four characters of
 * the serial number (or of the machine's id). Pure.
 */
export function hostName(sources: {
  readonly configured: string | undefined;
  readonly imported: string | undefined;
  readonly serial: string | undefined;
  readonly machineId: string;
}): string {
  if (sources.configured !== undefined) return sources.configured;
  if (sources.imported !== undefined) return sources.imported;
  const digits = (sources.serial ?? '').replaceAll(/[^0-9a-zA-Z]/g, '') || sources.machineId;
  return `rushlight-${digits.slice(-4).toLowerCase()}`;
}

/** The `name` in a settings file, read as plain text: the supervisor reads the file properly. */
export function configuredName(toml: string): string | undefined {
  const top = toml.split(/^\s*\[/m)[0] ?? '';
  return /^\s*name\s*=\s*(?:"([^"\\]*)"|'([^']*)')/m
    .exec(top)
    ?.slice(1)
    .find((name) => name !== undefined && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
}

/**
 * The account file with the owner's account under the name from Imager, beside `owner`: same user id, so it is one account with
 * two names. Unchanged if the name is taken. Pure; format of passwd(5).
 */
export function withOwnerName(passwd: string, user: string | undefined): string {
  const lines = passwd.split('\n').filter((line) => line !== '');
  const owner = lines.find((line) => line.startsWith('owner:'));
  if (user === undefined || owner === undefined || lines.some((line) => line.startsWith(`${user}:`)))
    return passwd;
  return `${[...lines, owner.replace(/^owner:/, `${user}:`)].join('\n')}\n`;
}
