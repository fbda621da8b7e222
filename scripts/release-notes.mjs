#!/usr/bin/env node
// scripts/release-notes.mjs VERSION: prints a version's section of CHANGELOG.md. Runs on the machine's own Node.js.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The sections of a changelog, newest first: `## 0.2.0 - 2026-11-30` and what follows.
 * @param {string} text
 * @returns {{ version: string, date: string | null, notes: string }[]}
 */
export function changelogSections(text) {
  return text
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      const [version = '', date = null] = heading.split(' - ');
      return { version: version.trim(), date: date?.trim() ?? null, notes: lines.join('\n').trim() };
    });
}

/**
 * Throws if the changelog has no such version or nothing about it.
 * @param {string} text
 * @param {string} version
 */
export function notesOf(text, version) {
  const section = changelogSections(text).find((one) => one.version === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version} - <date>"`);
  if (section.date === null) throw new Error(`the section ${version} of CHANGELOG.md has no date`);
  if (section.notes === '') throw new Error(`the section ${version} of CHANGELOG.md is empty`);
  return section.notes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const changelog = readFileSync(new URL('../CHANGELOG.md', import.meta.url), 'utf8');
    process.stdout.write(`${notesOf(changelog, process.argv[2] ?? '')}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
