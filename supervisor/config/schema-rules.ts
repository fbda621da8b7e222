import type { z } from 'zod';
import type { fileSchema } from './schema-file.ts';
import { feedPlace } from './schema-output.ts';

type ConfigFile = z.output<typeof fileSchema>;

/** Reports settings that are each valid but do not fit together. */
export interface Finding {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Reports problems between fields: ids used twice, lines or ports shared, a certificate without its key, feeds that share a URL. */
export function crossFieldFindings(file: ConfigFile): Finding[] {
  return [
    ...duplicateIds(file),
    ...sharedGpios(file),
    ...halfPairs(file),
    ...sharedPorts(file),
    ...outputs(file),
    ...twoPasswords(file),
  ];
}

function outputs({ output }: ConfigFile): Finding[] {
  const seen = new Set<string>();
  return output.flatMap(({ id, feed, url, token, token_file }, index) => {
    const findings: Finding[] = [];
    const find = (key: string, message: string) => findings.push({ path: ['output', index, key], message });
    if (seen.has(id)) find('id', `an id no other output has; "${id}" is taken`);
    seen.add(id);
    if (feed === '*' && !url.includes(feedPlace)) {
      find('url', `${feedPlace} somewhere in the URL, so that each feed gets its own address`);
    }
    if (token !== undefined && token_file !== undefined) find('token_file', 'either token or token_file');
    return findings;
  });
}

function twoPasswords(file: ConfigFile): Finding[] {
  return (['source', 'remote'] as const).flatMap((list) =>
    file[list].flatMap((one, index) => {
      const isTwice = 'password' in one && one.password !== undefined && one.password_file !== undefined;
      const message = 'either password or password_file';
      return isTwice ? [{ path: [list, index, 'password_file'], message }] : [];
    }),
  );
}

function duplicateIds(file: ConfigFile): Finding[] {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const list of ['source', 'remote'] as const) {
    for (const [index, { id }] of file[list].entries()) {
      if (seen.has(id))
        findings.push({ path: [list, index, 'id'], message: `an id no other source has; "${id}" is taken` });
      seen.add(id);
    }
  }
  return findings;
}

function sharedGpios(file: ConfigFile): Finding[] {
  const owners = new Map<number, string>([[file.jumper.gpio, 'jumper']]);
  const findings: Finding[] = [];
  for (const name of ['record_button', 'tally_light', 'status_light'] as const) {
    const gpio = file[name].gpio;
    if (gpio === undefined) continue;
    const owner = owners.get(gpio);
    if (owner !== undefined) {
      findings.push({ path: [name, 'gpio'], message: `another line; ${gpio} belongs to [${owner}]` });
    }
    owners.set(gpio, name);
  }
  return findings;
}

function halfPairs(file: ConfigFile): Finding[] {
  const findings: Finding[] = [];
  for (const name of ['mqtt', 'http'] as const) {
    const { cert_file: cert, key_file: key } = file[name];
    if (cert !== undefined && key === undefined) {
      findings.push({ path: [name, 'cert_file'], message: 'a key_file together with cert_file' });
    }
    if (key !== undefined && cert === undefined) {
      findings.push({ path: [name, 'key_file'], message: 'a cert_file together with key_file' });
    }
  }
  return findings;
}

function sharedPorts({ http }: ConfigFile): Finding[] {
  if (!http.tls || http.port !== http.tls_port) return [];
  const message = `another port; ${http.port} is the port of plain HTTP (http.port)`;
  return [{ path: ['http', 'tls_port'], message }];
}
