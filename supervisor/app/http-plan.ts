import { isLoopback } from '../api/index.ts';

/** What the settings ask for. */
export interface WantedHttp {
  readonly listen: readonly string[];
  readonly port: number;
  /** Null: no HTTPS. */
  readonly tlsPort: number | null;
}

/** What is listened on, or can be. */
export interface Serving {
  readonly listen: readonly string[];
  /** Port of plain HTTP on these addresses; null: none. */
  readonly port: number | null;
  readonly tlsPort: number | null;
  /** Port of plain HTTP only on 127.0.0.1, if the other listeners leave out this machine's own programs; 0: any. */
  readonly local: number | null;
}

/** What to listen on, and how it differs from the settings. */
export interface HttpPlan {
  readonly serving: Serving;
  /** Which of the wanted addresses cannot be served, and what is done instead, in sentences. */
  readonly problems: readonly string[];
}

/** Why nothing can listen there now; null: something can. */
export type EndpointProbe = (host: string, port: number) => Promise<string | null>;

const wildcards: ReadonlySet<string> = new Set(['::', '0.0.0.0']);
const spare = { plain: 8080, tls: 8443 } as const;

/**
 * Decides what to listen on if not everything in the settings is possible: what is possible, else what is held already, else
 * whatever still leads an owner to the page.
 */
export async function planServing(
  wanted: WantedHttp,
  held: Serving | null,
  probe: EndpointProbe,
): Promise<HttpPlan> {
  const { listen, problems } = await usableAddresses(wanted.listen, probe);
  const free = async (port: number) => await whyNotFree(port, listen, held, probe);
  const plainPort = wanted.port === 0 ? (held?.port ?? 0) : wanted.port;
  const plainTrouble = await free(plainPort);
  const tlsTrouble =
    wanted.tlsPort === null
      ? null
      : wanted.tlsPort === plainPort
        ? `port ${plainPort} is that of plain HTTP`
        : await free(wanted.tlsPort);
  const spareOf = async (usual: number) => ((await free(usual)) === null ? usual : 0);
  // Cameras pin the certificate: if HTTPS is wanted, it is served somewhere, and mDNS says where.
  const tlsPort =
    wanted.tlsPort === null || tlsTrouble === null
      ? wanted.tlsPort
      : (held?.tlsPort ?? (await spareOf(spare.tls)));
  let port = plainTrouble === null ? plainPort : (held?.port ?? null);
  if (port !== null && port !== 0 && port === tlsPort) port = null;
  if (port === null && tlsPort === null) port = await spareOf(spare.plain);
  if (plainTrouble !== null) problems.push(sentence('HTTP', plainPort, plainTrouble, port));
  if (tlsTrouble !== null && wanted.tlsPort !== null) {
    problems.push(sentence('HTTPS', wanted.tlsPort, tlsTrouble, tlsPort));
  }
  return { serving: { listen, port, tlsPort, local: await localPort(listen, port, held, probe) }, problems };
}

/** Whether every IPv4 address is among them. */
export function everywhere(listen: readonly string[]): boolean {
  return listen.some((host) => wildcards.has(host));
}

/** Whether anyone but this machine itself gets an answer. */
export function isOutside({ listen }: Pick<Serving, 'listen'>): boolean {
  return !listen.every(isLoopback);
}

async function usableAddresses(
  wanted: readonly string[],
  probe: EndpointProbe,
): Promise<{ listen: readonly string[]; problems: string[] }> {
  const all = async () => ((await probe('::', 0)) === null ? ['::'] : ['0.0.0.0']);
  // `::` includes every IPv4 address: another listener there would be in its way.
  if (wanted.includes('::')) return { listen: await all(), problems: [] };
  const single = [...new Set(wanted)].filter(
    (host) => host === '0.0.0.0' || host.includes(':') || !wanted.includes('0.0.0.0'),
  );
  const found: string[] = [];
  const missing: string[] = [];
  for (const host of single) ((await probe(host, 0)) === null ? found : missing).push(host);
  if (missing.length === 0) return { listen: found, problems: [] };
  const what = `http.listen: this machine does not have the address ${missing.join(', ')}`;
  if (found.length > 0) return { listen: found, problems: [`${what}; listening on ${found.join(', ')}.`] };
  if (wanted.every(isLoopback)) {
    return { listen: ['127.0.0.1'], problems: [`${what}; listening on 127.0.0.1.`] };
  }
  return { listen: await all(), problems: [`${what}; listening on all addresses until it does.`] };
}

async function whyNotFree(
  port: number,
  listen: readonly string[],
  held: Serving | null,
  probe: EndpointProbe,
): Promise<string | null> {
  if (port === 0) return null;
  // Our own listener there is closed before the next one opens.
  if (held !== null && [held.port, held.tlsPort, held.local].includes(port)) return null;
  for (const host of listen) {
    const trouble = await probe(host, port);
    if (trouble !== null) return trouble;
  }
  return null;
}

/** The command line and the health gate of an update ask on 127.0.0.1. */
async function localPort(
  listen: readonly string[],
  port: number | null,
  held: Serving | null,
  probe: EndpointProbe,
): Promise<number | null> {
  const covered = everywhere(listen) || listen.includes('127.0.0.1');
  if (port !== null && covered) return null;
  if (held !== null && held.local !== null) return held.local;
  if (port === null || port === 0) return 0;
  return (await whyNotFree(port, ['127.0.0.1'], held, probe)) === null ? port : 0;
}

function sentence(scheme: string, wanted: number, trouble: string, instead: number | null): string {
  const served =
    instead === null
      ? `${scheme} is not served`
      : `${scheme} is served on ${instead === 0 ? 'a free port' : `port ${instead}`}`;
  return `${scheme} cannot use port ${wanted}: ${trouble}; ${served} until it can.`;
}
