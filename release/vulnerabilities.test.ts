import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { debianFindings, npmScan, statusOf } from './vulnerabilities.ts';

// The form of npm 11.
const audited = {
  auditReportVersion: 2,
  vulnerabilities: {
    'body-parser': {
      name: 'body-parser',
      severity: 'high',
      via: [
        { source: 1099520, name: 'body-parser', url: 'https://github.com/advisories/GHSA-qwcr-r2fm-qrc7' },
      ],
      fixAvailable: true,
    },
    'left-over': {
      name: 'left-over',
      severity: 'low',
      via: ['body-parser', { source: 1, url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc' }],
      fixAvailable: false,
    },
  },
};

test('npm’s list names each vulnerability once, with its module', () => {
  expect(npmScan(JSON.stringify(audited))).toMatchObject({
    findings: [
      { part: 'body-parser', id: 'GHSA-qwcr-r2fm-qrc7', severity: 'high', fixed: true },
      { part: 'left-over', id: 'GHSA-aaaa-bbbb-cccc', severity: 'low', fixed: false },
    ],
  });
  expect(npmScan('{"auditReportVersion":2,"vulnerabilities":{}}')).toMatchObject({ findings: [] });
});

test('reports a registry without a list, which never counts as “no vulnerability”', () => {
  // npm 11 with a registry that takes no questions.
  const refused =
    '{"message":"405 Method Not Allowed - POST /-/npm/v1/security/advisories/bulk","statusCode":405}';
  expect(npmScan(refused)).toMatchObject({ unavailable: expect.stringContaining('405') });
  for (const printed of ['', 'npm ERR!', '{}']) expect(npmScan(printed)).toHaveProperty('unavailable');
});

test('Debian’s list says which have a fix', () => {
  const all = 'CVE-2026-0001 libssl3t64\nCVE-2026-0002 zlib1g\n';
  expect(debianFindings(all, 'CVE-2026-0001 libssl3t64\n')).toEqual([
    { part: 'libssl3t64', id: 'CVE-2026-0001', severity: null, fixed: true },
    { part: 'zlib1g', id: 'CVE-2026-0002', severity: null, fixed: false },
  ]);
});

const manifest = 'libssl3t64 3.5.1-1 amd64 openssl (3.5.1-1)\nzlib1g 1:1.3 amd64 zlib\n';

test('writes packages in dpkg’s form, with the source that the tracker knows', () => {
  const [ssl, zlib] = statusOf(manifest).trim().split('\n\n');
  expect(ssl).toBe(
    'Package: libssl3t64\nStatus: install ok installed\nVersion: 3.5.1-1\nArchitecture: amd64\nSource: openssl (3.5.1-1)',
  );
  expect(zlib).toMatch(/^Source: zlib$/m);
});

const hasDebsecan = spawnSync('debsecan', ['--version']).error === undefined;

test.skipIf(!hasDebsecan)('debsecan reads that form', () => {
  const work = mkdtempSync(join(tmpdir(), 'rushlight-debsecan-'));
  try {
    mkdirSync(join(work, 'tracker'));
    const tracked =
      'VERSION 1\nCVE-2026-0001,,A fault\nCVE-2026-0002,,Fixed long ago\n\nopenssl,0,S  F,3.5.9-1,\nzlib,1,S   ,1:1.2,\n\nopenssl,libssl3t64\n';
    writeFileSync(join(work, 'tracker', 'trixie'), deflateSync(tracked));
    writeFileSync(join(work, 'status'), statusOf(manifest));
    const { stdout, stderr } = spawnSync(
      'debsecan',
      [
        '--suite',
        'trixie',
        '--status',
        join(work, 'status'),
        '--format',
        'simple',
        '--source',
        `file://${work}/tracker/`,
      ],
      { encoding: 'utf8' },
    );
    expect([stdout, stderr]).toEqual(['CVE-2026-0001 libssl3t64\n', '']);
  } finally {
    rmSync(work, { recursive: true });
  }
});
