import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  feedWatchdog,
  formatNotification,
  type Notifier,
  notifySocketProgram,
  openNotifier,
} from './systemd.ts';

const logger = pino({ level: 'silent' });
const waitOptions = { timeout: 20_000, interval: 20 };

/** Simulates systemd: binds a real datagram socket and prints each message, its line ends as `|`. */
const receiver = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
bind($s, pack_sockaddr_un($ARGV[0])) or die;
while (defined recv($s, my $m, 4096, 0)) { $m =~ tr/\\n/|/; print "$m\\n"; }
`;

let folder: string;
let socket: string;
let manager: ChildProcess;
let received: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rushlight-notify-'));
  socket = join(folder, 'notify');
  received = [];
  manager = spawn('perl', ['-e', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  manager.stdout?.on('data', (chunk) => received.push(...String(chunk).trimEnd().split('\n')));
  await vi.waitFor(() => expect(existsSync(socket)).toBe(true), waitOptions);
});

afterEach(async () => {
  const gone = once(manager, 'exit');
  manager.kill();
  await gone;
  rmSync(folder, { recursive: true, force: true });
});

describe('notify-socket.pl', () => {
  it('hands the connected socket to the program it becomes, which keeps its process id', async () => {
    const module = JSON.stringify(new URL('./systemd.ts', import.meta.url).href);
    const script = `
      import { openNotifier } from ${module};
      using line = openNotifier(process.env, console);
      line.notify({ READY: '1', STATUS: line.watchdogMs + ' ' + process.pid });
    `;
    const program = spawn(
      notifySocketProgram,
      [process.execPath, '--input-type=module-typescript', '-e', script],
      {
        env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' },
        stdio: 'inherit',
      },
    );
    expect(await once(program, 'exit')).toEqual([0, null]);
    await vi.waitFor(() => expect(received).toEqual([`READY=1|STATUS=30000 ${program.pid}`]), waitOptions);
  });

  it('only becomes the program if there is no service manager', async () => {
    const env = { ...process.env, NOTIFY_SOCKET: '' };
    const script = 'process.exit(process.env.RUSHLIGHT_NOTIFY_FD === undefined ? 7 : 1)';
    const program = spawn(notifySocketProgram, [process.execPath, '-e', script], { env, stdio: 'inherit' });
    expect(await once(program, 'exit')).toEqual([7, null]);
  });
});

describe('openNotifier', () => {
  it('uses a helper if only the address of the socket is known', async () => {
    using line = openNotifier({ ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000' }, logger);
    expect(line.watchdogMs).toBe(2000);
    line.notify({ READY: '1', STATUS: 'two\nlines' });
    line.notify({ WATCHDOG: '1' });
    await vi.waitFor(() => expect(received).toEqual(['READY=1|STATUS=two lines', 'WATCHDOG=1']), waitOptions);
  });

  it('is silent if nobody listens', () => {
    using line = openNotifier({ WATCHDOG_USEC: '2000000' }, logger);
    expect(line.watchdogMs).toBeNull();
    line.notify({ READY: '1' });
  });

  it('has no watchdog that is meant for another process', () => {
    using line = openNotifier(
      { RUSHLIGHT_NOTIFY_FD: '99', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' },
      logger,
    );
    expect(line.watchdogMs).toBeNull();
    line.notify({ STATUS: 'to a descriptor that is not open: logged, not thrown' });
  });
});

describe('feedWatchdog', () => {
  it('feeds while all components report, pauses while one is silent, and ends with the signal', async () => {
    const sent: string[] = [];
    const line: Notifier = {
      watchdogMs: 10,
      notify: (notification) => void sent.push(formatNotification(notification)),
      [Symbol.dispose]: () => {},
    };
    const stop = new AbortController();
    let silent: string[] = [];
    let looks = 0;
    const done = feedWatchdog(
      line,
      () => {
        looks += 1;
        return silent;
      },
      logger,
      stop.signal,
    );
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(2), waitOptions);
    silent = ['media'];
    const fed = sent.length;
    const seen = looks;
    await vi.waitFor(() => expect(looks).toBeGreaterThan(seen + 2), waitOptions);
    expect(sent).toHaveLength(fed);
    silent = [];
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(fed), waitOptions);
    stop.abort();
    await done;
    expect(new Set(sent)).toEqual(new Set(['WATCHDOG=1']));
  });
});
