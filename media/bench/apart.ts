/**
 * Benchmarks as if viewers were other machines. On loopback the kernel works for the receiver while the sender sends, in the sender's
 * time; between machines it does not. Here that work runs on the last processor (RPS, Linux Documentation/networking/scaling.rst), as the
 * load generator does, in a network namespace of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { BenchError } from './errors.ts';

const variable = 'RUSHLIGHT_BENCH_APART';
const setUp = `
mount -t sysfs sysfs /sys
ip link set lo up
echo "$MASK" > /sys/class/net/lo/queues/rx-0/rps_cpus
exec "$@"`;

/** The processor that does the work of receiving, counted from 0; null: wherever the kernel does it. */
export const receivingProcessor: number | null =
  variable in process.env ? Number(process.env[variable]) : null;

/** Runs this program with its arguments again, with the receivers' work apart. Returns its exit code. Throws BenchError. */
export async function runApart(): Promise<number> {
  const processor = cpus().length - 1;
  if (process.getuid?.() !== 0 || processor === 0)
    throw new BenchError('--apart needs root and two processors.', {
      hint: 'Run it with sudo, or without --apart.',
    });
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', ['--net', '--mount', 'sh', '-ec', setUp, 'apart', ...again], {
    stdio: 'inherit',
    env: { ...process.env, [variable]: String(processor), MASK: maskOf(processor) },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** Groups of 32 bits in hexadecimal, the highest first, as the kernel takes them. */
function maskOf(processor: number): string {
  const groups = Array.from({ length: Math.floor(processor / 32) }, () => '00000000');
  return [(2 ** (processor % 32)).toString(16), ...groups].join(',');
}
