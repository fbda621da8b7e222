import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyOverrides, overridesTable, patchOverrides, standingOverrides } from './overrides.ts';

const file = { role: 'hub', masters: { codec: 'ffv1' }, source: [{ id: 'a' }] };

describe('overrides', () => {
  it('override the file, key by key', () => {
    const overrides = patchOverrides([], { masters: { codec: 'off', reserve_mb: 99 } }, file);
    expect(applyOverrides(file, overrides)).toEqual({ ...file, masters: { codec: 'off', reserve_mb: 99 } });
    expect(overridesTable(overrides)).toEqual({ masters: { codec: 'off', reserve_mb: 99 } });
    expect(file.masters.codec).toBe('ffv1');
  });

  it('are dropped by null, one or with everything below', () => {
    const overrides = patchOverrides([], { masters: { codec: 'off', reserve_mb: 99 }, role: 'camera' }, file);
    expect(overridesTable(patchOverrides(overrides, { masters: { codec: null } }, file))).toEqual({
      masters: { reserve_mb: 99 },
      role: 'camera',
    });
    expect(overridesTable(patchOverrides(overrides, { masters: null }, file))).toEqual({ role: 'camera' });
  });

  it('are dropped only when the file changes its own value', () => {
    const overrides = patchOverrides([], { role: 'camera', name: 'x', source: [{ id: 'b' }] }, file);
    const paths = (table: object) =>
      standingOverrides(overrides, { ...table }).map(({ path }) => path.join('.'));
    expect(paths({ ...file, log: { level: 'warn' } })).toEqual(['role', 'name', 'source']);
    expect(paths({ ...file, role: 'auto' })).toEqual(['name', 'source']);
    expect(paths({ ...file, name: 'y' })).toEqual(['role', 'source']);
    expect(paths({ ...file, source: [{ id: 'c' }] })).toEqual(['role', 'name']);
    expect(paths({})).toEqual(['name']);
  });

  it('survive being stored for any patch and change no prototype', () => {
    const patch = fc.dictionary(fc.string(), fc.oneof(fc.jsonValue(), fc.constant({ __proto__: { x: 1 } })));
    fc.assert(
      fc.property(fc.oneof(patch, fc.constant(JSON.parse('{"__proto__":{"polluted":1}}'))), (any) => {
        const overrides = patchOverrides([], any, file);
        const stored = JSON.parse(JSON.stringify(overrides));
        expect(standingOverrides(stored, file)).toEqual(overrides);
        applyOverrides(file, stored);
        expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
      }),
    );
  });
});
