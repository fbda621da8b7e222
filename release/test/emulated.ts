import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanDebian, Machine } from './machine.ts';
import { must, Report, until } from './report.ts';
import { run } from './run.ts';

/**
 * `sudo node release/test/emulated.ts PACKAGE.deb`: a clean Debian 13 for arm64 under systemd, run by qemu-user, installs the
 * package of that processor. It is slow, so nothing but installation, page, picture and purge is looked at.
 */
const [deb] = parseArgs({ allowPositionals: true }).positionals;
if (deb === undefined || !existsSync(deb)) throw new Error('needed: dist/rushlight_<version>_arm64.deb');
const source = join(import.meta.dirname, '..', '..');
const cache = process.env.RUSHLIGHT_CACHE ?? join(source, 'image', 'cache');
const work = mkdtempSync('/var/tmp/rushlight-emulated-test.');
const patienceMs = 10 * 60_000;
