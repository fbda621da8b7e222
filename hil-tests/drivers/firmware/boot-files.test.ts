import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BootFileError, bootFilesOf, chooseBoot, readBootFile, trybootRequested } from './boot-files.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../../image/autoboot.txt'), 'utf8');

describe('choosing the partition', () => {
  test('the shipped file boots slot A normally and slot B on trial', () => {
    expect(chooseBoot(shipped, false)).toEqual({ partition: 2, tryboot: false, configFile: 'config.txt' });
    expect(chooseBoot(shipped, true)).toEqual({ partition: 3, tryboot: true, configFile: 'config.txt' });
  });

  test('boots the first partition without autoboot.txt', () => {
    expect(chooseBoot(null, false).partition).toBe(1);
  });

  test('a trial without tryboot_a_b stays on the partition and reads tryboot.txt', () => {
    const choice = chooseBoot('[all]\nboot_partition=2\n', true);
    expect(choice).toEqual({ partition: 2, tryboot: true, configFile: 'tryboot.txt' });
  });

  test('ignores a file over 512 bytes, as a board does', () => {
    expect(chooseBoot(`${shipped}${'#'.repeat(512)}\n`, false).partition).toBe(1);
  });

  test('any text yields either a partition or a BootFileError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, tryboot) => {
        try {
          const { partition } = chooseBoot(`[all]\nboot_partition=${text}`, tryboot);
          expect(partition).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(BootFileError);
        }
      }),
    );
  });
});

describe('files on a boot partition', () => {
  test('applies filters, skips comments and uses the last value', () => {
    const text =
      '[pi5]\nkernel=five.img\n[all]\nkernel=old.img # first\r\nkernel=kernel.img\n[none]\nkernel=no.img\n';
    expect(readBootFile(text, new Set()).get('kernel')).toBe('kernel.img');
    expect(readBootFile(text.replace('[all]', '[pi4]'), new Set(['pi5'])).get('kernel')).toBe('five.img');
  });

  test('reads kernel, initramfs and command line with a prefix', () => {
    const config = 'os_prefix=v2/\nkernel=kernel.img\ninitramfs initramfs.img followkernel\n';
    expect(bootFilesOf(config)).toEqual({
      kernel: 'v2/kernel.img',
      initramfs: 'v2/initramfs.img',
      cmdline: 'v2/cmdline.txt',
    });
  });

  test('a missing kernel is an error', () => {
    expect(() => bootFilesOf('arm_64bit=1\n')).toThrow(BootFileError);
  });
});

describe("the kernel's restart message", () => {
  // As printed by Linux 6.12.
  const line = "[  91.480122] reboot: Restarting system with command '0 tryboot'";

  test('recognises a request for a trial boot', () =>
    expect(trybootRequested(`boot\r\n${line}\r\n`)).toBe(true));
  test('ignores a plain restart', () => expect(trybootRequested('reboot: Restarting system\n')).toBe(false));
  test('ignores anything that only looks similar', () => {
    expect(trybootRequested(line.replace('0 tryboot', '0 trybooting'))).toBe(false);
    expect(trybootRequested("echo with command 'tryboot'")).toBe(false);
  });
  test('uses the last restart', () => {
    expect(trybootRequested(`${line}\nreboot: Restarting system\n`)).toBe(false);
  });
});
