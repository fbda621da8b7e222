import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { must, Report, until } from './report.ts';
import { run } from './run.ts';

/**
 * `node release/test/virtual-image.ts IMAGE.img.xz`: the commands of docs/get-started/virtual-image.md, as they are written there,
 * lead from the released file to a picture. Where QEMU has to emulate the processor, that takes minutes.
 */
const [named] = parseArgs({ allowPositionals: true }).positionals;
if (named === undefined || !existsSync(named))
  throw new Error('needed: dist/rushlight-<version>-virt-amd64.img.xz');
const image = resolve(named);
const page = join(import.meta.dirname, '..', '..', 'docs', 'get-started', 'virtual-image.md');
const patienceMs = 20 * 60_000;
const work = mkdtempSync('/var/tmp/rushlight-virtual-image-test.');
const consoleLog = join(work, 'console.log');

/** The commands of the page, without those that install programs. */
const blocks = [...readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) =>
  text
    .replaceAll(/^sudo apt .*\n/gm, '')
    .replaceAll(/rushlight-<version>-virt-amd64/g, basename(image, '.img.xz')),
);
const [unpack = '', settings = '', start = '', key = ''] = blocks;

const shell = (commands: string) => run('bash', ['-euc', `cd "$1"\n${commands}`, 'page', work]);

/** QEMU. Its serial console goes to a file: nobody would read a pipe while the test waits for a program, and QEMU would stand still. */
class Appliance implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(started: ChildProcess) {
    this.#process = started;
    this.#ended = once(started, 'exit');
  }

  static start(commands: string): Appliance {
    const withoutWindow = commands.replace(
      /^(qemu-system-x86_64)/m,
      'exec $1 -display none -serial mon:stdio',
    );
    const log = openSync(consoleLog, 'w');
    return new Appliance(spawn('bash', ['-euc', withoutWindow], { cwd: work, stdio: ['ignore', log, log] }));
  }

  /** Until the look gives something; throws at once if QEMU ends. */
  async until(what: string, look: () => unknown): Promise<void> {
    const ended = this.#ended.then(() => {
      throw new Error('QEMU ended');
    });
    await Promise.race([ended, until(what, look, patienceMs)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

const report = new Report();
try {
  must(blocks.length === 4, `${page} has ${blocks.length} blocks of commands`);
  await report.check(
    'the image is checked and unpacked, and settings are written to its first partition',
    () => {
      for (const name of [basename(image), `${basename(image)}.minisig`, 'rushlight.pub'])
        symlinkSync(join(image, '..', name), join(work, name));
      shell(unpack);
      shell(settings);
    },
  );
  await using appliance = Appliance.start(start);
  try {
    let token = '';
    await report.check('the appliance starts, and its owner reads the key over SSH', async () => {
      const look = () => {
        token = shell(key).trim();
        return token !== '';
      };
      await appliance.until('a key', look);
    });
    await report.check('the page shows a picture', async () => {
      const ask = (path: string, file: string) =>
        run('curl', [
          ...['--silent', '--show-error', '--fail', '--insecure', '--max-time', '60'],
          ...['--header', `Authorization: Bearer ${token}`, '--output', join(work, file)],
          `https://localhost:8443${path}`,
        ]);
      // The key is there before the page.
      await appliance.until('the page', () => {
        ask('/', 'page.html');
        return readFileSync(join(work, 'page.html'), 'utf8').includes('<!doctype html>');
      });
      const look = () => {
        ask('/stream/cam0.jpg', 'picture.jpg');
        return readFileSync(join(work, 'picture.jpg')).subarray(0, 2).toString('hex') === 'ffd8';
      };
      await appliance.until('a JPEG', look);
    });
    report.end();
  } catch (error) {
    process.stdout.write(readFileSync(consoleLog, 'utf8').slice(-3000));
    throw error;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
