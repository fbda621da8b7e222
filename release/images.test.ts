import { expect, test } from 'vitest';
import { notesOf } from './images.ts';

const changelog = `# Changelog

## Unreleased

### Added

- Something for later.

## 0.2.0 - 2026-11-30

First release.

## 0.1.0

Old.
`;

test('the notes of a release are its section of the changelog', () => {
  expect(notesOf(changelog, '0.2.0')).toBe('Rushlight 0.2.0\n\nFirst release.\n');
  expect(notesOf(changelog, '0.1.0')).toBe('Rushlight 0.1.0\n\nOld.\n');
});

test('a version without a section gets the unreleased entries', () => {
  expect(notesOf(changelog, '0.3.0')).toContain('Something for later.');
});
