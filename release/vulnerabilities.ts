import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Workshop } from './workshop.ts';

/** A known vulnerability of a part. */
export interface Finding {
  readonly part: string;
  readonly id: string;
  /** As the scanner words it; null if it says nothing. */
  readonly severity: string | null;
  /** Whether a version without it can be had. */
  readonly fixed: boolean;
}

/** What one scanner said of the parts of one kind. */
export type Scan =
  | { readonly scanner: string; readonly of: string; readonly findings: readonly Finding[] }
  | { readonly scanner: string; readonly of: string; readonly unavailable: string };

const audit = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({
      severity: z.string(),
      via: z.array(z.union([z.string(), z.object({ url: z.string() })])),
      fixAvailable: z.union([z.boolean(), z.object({})]),
    }),
  ),
});
/** What npm prints instead where the registry answers otherwise. */
const auditRefused = z.object({ message: z.string() });

/** The answer of `npm audit --json` (npm 7 and newer). Pure. */
export function npmScan(printed: string): Scan {
  const name = { scanner: 'npm audit', of: 'npm modules' };
  const answer: unknown = safely(() => JSON.parse(printed));
  const refused = auditRefused.safeParse(answer);
  if (refused.success) return { ...name, unavailable: refused.data.message };
  const list = audit.safeParse(answer);
  if (!list.success) return { ...name, unavailable: 'npm printed no list' };
  const findings = Object.entries(list.data.vulnerabilities).flatMap(
    ([part, { severity, via, fixAvailable }]) =>
      // Words name another module of the list, if the vulnerability is.
      via
        .filter((one) => typeof one === 'object')
        .map(({ url }) => ({
          part,
          id: url.split('/').at(-1) ?? url,
          severity,
          fixed: fixAvailable !== false,
        })),
  );
  return { ...name, findings };
}

/** What `debsecan --format simple` printed: of all, and of those with a fix in the suite. Pure. */
export function debianFindings(all: string, fixed: string): Finding[] {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const haveFix = new Set(lines(fixed));
  return lines(all).map((line) => {
    const [id = '', part = ''] = line.split(' ');
    return { part, id, severity: null, fixed: haveFix.has(line) };
  });
}

/** The packages of `release/pack manifest` in the form of dpkg's status, which debsecan reads. Pure. */
export function statusOf(manifest: string): string {
  return manifest
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, version, architecture, ...source] = line.split(' ');
      return `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: ${architecture}\nSource: ${source.join(' ')}\n`;
    })
    .join('\n');
}

/** Looks for known vulnerabilities of what is delivered, and writes what came of it, or why nothing could. */
export function writeVulnerabilities(workshop: Workshop): void {
  const scans = [
    scanModules(workshop),
    ...workshop.options.architectures.map((arch) => scanDebian(workshop, arch)),
  ];
  for (const scan of scans) {
    if ('unavailable' in scan)
      workshop.leaveOut(`no look for vulnerabilities in ${scan.of}: ${scan.scanner}: ${scan.unavailable}`);
    else process.stdout.write(`${scan.of}: ${summary(scan.findings)} (${scan.scanner})\n`);
  }
  writeFileSync(
    workshop.file(`rushlight-${workshop.version}.vulnerabilities.json`),
    `${JSON.stringify({ version: workshop.version, looked: new Date().toISOString(), scans }, null, 1)}\n`,
  );
}

function summary(findings: readonly Finding[]): string {
  const fixed = findings.filter((one) => one.fixed).length;
  return `${findings.length} known vulnerabilities, ${fixed} of them with a fix`;
}

function scanModules(workshop: Workshop): Scan {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: workshop.source,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return npmScan(stdout ?? '');
}

/** Debian's tracker, over the packages in the containers of one processor. */
function scanDebian(workshop: Workshop, arch: string): Scan {
  const name = { scanner: 'debsecan', of: `Debian's packages in the containers, ${arch}` };
  const packages = join(workshop.work(`layers/${arch}`), 'packages.txt');
  if (!existsSync(packages)) return { ...name, unavailable: 'no containers were made' };
  const status = join(workshop.work('vulnerabilities'), `status-${arch}`);
  writeFileSync(status, statusOf(readFileSync(packages, 'utf8')));
  const look = (...options: string[]) =>
    spawnSync('debsecan', ['--suite', 'trixie', '--status', status, '--format', 'simple', ...options], {
      encoding: 'utf8',
      timeout: 120_000,
    });
  const all = look();
  if (all.error !== undefined)
    return { ...name, unavailable: 'it is missing; run: sudo apt-get install debsecan' };
  const fixed = look('--only-fixed');
  if (all.status !== 0 || fixed.status !== 0) {
    const said = (all.status !== 0 ? all : fixed).stderr.trim().split('\n');
    return { ...name, unavailable: said.slice(-2).join(' ') };
  }
  return { ...name, findings: debianFindings(all.stdout, fixed.stdout) };
}

function safely<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null; // the caller says that it is no list
  }
}
