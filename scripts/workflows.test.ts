import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { changelogSections, notesOf } from './release-notes.mjs';

const root = join(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
const folder = '.github/workflows';
const { version, scripts } = JSON.parse(read('package.json'));

interface Step {
  readonly run?: string;
  readonly uses?: string;
}
interface Job {
  readonly uses?: string;
  readonly needs?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

describe.each(readdirSync(join(root, folder)))('the workflow %s', (name) => {
  const document = parseDocument(read(`${folder}/${name}`));
  const { permissions, jobs } = document.toJS() as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
  const words = steps.map(({ run = '' }) => run).join('\n');

  test('are valid and read-only unless a job says more', () => {
    expect(document.errors).toEqual([]);
    expect(permissions).toEqual({ contents: 'read' });
    for (const { needs } of Object.values(jobs)) if (needs !== undefined) expect(jobs).toHaveProperty(needs);
  });

  test('call existing executable scripts', () => {
    const own = words.match(/\.ci\/\w+/g) ?? [];
    for (const script of own) accessSync(join(root, script), constants.X_OK);
    for (const [, script] of words.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(String(script));
    for (const { uses } of Object.values(jobs)) if (uses !== undefined) accessSync(join(root, uses));
  });

  test('pin a version of every action and pass secrets to none', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
    const handed = steps.filter(
      (step) => step.uses !== undefined && JSON.stringify(step).includes('secrets.'),
    );
    expect(handed).toEqual([]);
  });
});

describe('the changelog', () => {
  const sections = changelogSections(read('CHANGELOG.md'));

  test('begins with the unreleased entries, then has versions with dates, newest first', () => {
    expect(sections[0]).toMatchObject({ version: 'Unreleased', date: null });
    const released = sections.slice(1);
    expect(released.length).toBeGreaterThan(0);
    for (const section of released) {
      expect(semver.valid(section.version), section.version).not.toBeNull();
      expect(section.date, section.version).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
    expect(released.map((section) => section.version)).toEqual(
      semver.rsort(released.map((section) => section.version)),
    );
    expect(semver.gte(released[0]?.version ?? '0.0.0', version)).toBe(true);
  });

  test('yields the notes of a version and says what is missing', () => {
    const text =
      '# Changelog\n\n## Unreleased\n\n- x\n\n## 1.1.0\n\n- y\n\n## 1.0.0 - 2026-01-01\n\n- z\n\n## 0.9.0 - 2025-01-01\n';
    expect(notesOf(text, '1.0.0')).toBe('- z');
    expect(() => notesOf(text, '2.0.0')).toThrow('no section');
    expect(() => notesOf(text, '1.1.0')).toThrow('no date');
    expect(() => notesOf(text, '0.9.0')).toThrow('empty');
  });
});

test('.ci/release rejects a tag that is not the version before it builds anything', () => {
  const release = (...args: string[]) => spawnSync(join(root, '.ci/release'), args, { encoding: 'utf8' });
  for (const args of [[], ['0.2.0'], ['v99.0.0']]) {
    const { status, stderr } = release(...args);
    expect([status, stderr.startsWith('.ci/release: ')], args.join()).toEqual([1, true]);
  }
});
