import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OtaError } from '../errors.ts';
import { AUTOBOOT_MAX_BYTES, parseAutoboot, readBootPartitions, renderAutoboot } from './autoboot.ts';
import { bootedSlot } from './slot.ts';
import { emptyState, parseState, renderState } from './state.ts';

describe('autoboot.txt', () => {
  it.each(['A', 'B'] as const)('matches its purpose: %s', (slot) => {
    const text = renderAutoboot(slot);
    expect(parseAutoboot(text)).toBe(slot);
    expect(Buffer.byteLength(text)).toBeLessThan(AUTOBOOT_MAX_BYTES);
  });

  it('is read section by section; the last value wins', () => {
    const text =
      'boot_partition=3\n[pi5]\nboot_partition=9\n[all] # usual\nboot_partition = 2\r\n[tryboot]\nboot_partition=3';
    expect(readBootPartitions(text)).toEqual({ normal: 2, trial: 3 });
  });

  it('is ignored beyond 512 bytes', () => {
    const text = `[all]\nboot_partition=2\n${'#'.repeat(600)}\n[tryboot]\nboot_partition=3\n`;
    expect(readBootPartitions(text)).toEqual({ normal: 2, trial: 2 });
    expect(() => parseAutoboot(text)).toThrow(OtaError);
  });

  it('accepts any text without throwing anything but its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        try {
          expect(['A', 'B']).toContain(parseAutoboot(text));
        } catch (error) {
          expect((error as OtaError).code).toBe('AUTOBOOT_INVALID');
        }
      }),
    );
  });
});

describe("the selector's state", () => {
  it('survives a round trip', () => {
    const mark = fc.constantFrom('good' as const, 'bad' as const, 'trial' as const, 'unknown' as const);
    const state = fc.record({
      pending: fc.constantFrom('A' as const, 'B' as const, null),
      started: fc.boolean(),
      boots: fc.nat(9),
      marks: fc.record({ A: mark, B: mark }),
      note: fc.constantFrom(
        '' as const,
        'failed-B' as const,
        'never-started-A' as const,
        'repaired-B' as const,
      ),
    });
    fc.assert(
      fc.property(state, (value) => {
        expect(parseState(renderState(value))).toEqual(value);
      }),
    );
  });

  it('counts as lost if a single byte is missing', () => {
    const whole = renderState({ ...emptyState, pending: 'B', boots: 2, note: 'failed-B' });
    for (let length = 0; length < whole.length; length++) {
      expect(parseState(whole.slice(0, length))).toEqual(emptyState);
    }
  });
});

it("finds the booted slot in the kernel's command line as a separate word", () => {
  expect(bootedSlot('root=PARTUUID=52534c54-06 rauc.slot=B quiet\n')).toBe('B');
  expect(bootedSlot('xrauc.slot=B rauc.slot=C')).toBeNull();
});
