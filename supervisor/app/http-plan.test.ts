import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planServing, type Serving, type WantedHttp } from './http-plan.ts';

const wanted: WantedHttp = { listen: ['::'], port: 80, tlsPort: 443 };
const asWished: Serving = { listen: ['::'], port: 80, tlsPort: 443, local: null };

/** A machine with these addresses, and these ports in other hands. */
function machine(addresses: readonly string[], taken: readonly number[] = []) {
  return async (host: string, port: number) => {
    if (!['::', '0.0.0.0', '127.0.0.1', ...addresses].includes(host))
      return 'the address is not on this machine';
    return taken.includes(port) ? 'another program uses it' : null;
  };
}

test('serves what is available as configured', async () => {
  expect(await planServing(wanted, null, machine([]))).toEqual({ serving: asWished, problems: [] });
});

test('keeps the old listener if the new port is taken, and leaves the other one alone', async () => {
  const plan = await planServing({ ...wanted, port: 81 }, asWished, machine([], [81]));
  expect(plan.serving).toEqual(asWished);
  expect(plan.problems.join()).toMatch(/port 81: another program uses it; HTTP is served on port 80/);
});

test('without an old listener, HTTPS moves to a spare port and HTTP waits', async () => {
  const { serving } = await planServing(wanted, null, machine([], [80, 443]));
  expect(serving).toEqual({ listen: ['::'], port: null, tlsPort: 8443, local: 0 });
  const { serving: crowded } = await planServing(wanted, null, machine([], [80, 443, 8443]));
  expect(crowded.tlsPort).toBe(0);
  const { serving: plain } = await planServing({ ...wanted, tlsPort: null }, null, machine([], [80]));
  expect(plain.port).toBe(8080);
});

test('falls back to all addresses if the only one is gone; of several the others stay', async () => {
  const gone = await planServing({ ...wanted, listen: ['192.0.2.1'] }, null, machine([]));
  expect(gone.serving.listen).toEqual(['::']);
  expect(gone.problems.join()).toContain('192.0.2.1');
  const one = await planServing(
    { ...wanted, listen: ['192.0.2.1', '192.0.2.2'] },
    null,
    machine(['192.0.2.2']),
  );
  expect(one.serving).toMatchObject({ listen: ['192.0.2.2'], local: 80 });
  const loopback = await planServing({ ...wanted, listen: ['::1'] }, null, machine([]));
  expect(loopback.serving.listen).toEqual(['127.0.0.1']);
});

test('overlapping addresses do not conflict', async () => {
  const { serving } = await planServing(
    { ...wanted, listen: ['::', '0.0.0.0', '192.0.2.1'] },
    null,
    machine([]),
  );
  expect(serving.listen).toEqual(['::']);
  const four = await planServing(
    { ...wanted, listen: ['0.0.0.0', '192.0.2.1', '0.0.0.0'] },
    null,
    machine(['192.0.2.1']),
  );
  expect(four.serving.listen).toEqual(['0.0.0.0']);
});

test('a machine without IPv6 listens on every IPv4 address', async () => {
  const probe = async (host: string) => (host.includes(':') ? 'the address is not on this machine' : null);
  expect((await planServing(wanted, null, probe)).serving.listen).toEqual(['0.0.0.0']);
});

test('from all addresses to one: the port stays with this machine', async () => {
  // Our own listener is in the way of the probe; it ends before the next one begins.
  const probe = async (_host: string, port: number) => (port === 80 ? 'another program uses it' : null);
  const { serving } = await planServing({ ...wanted, listen: ['192.0.2.1'] }, asWished, probe);
  expect(serving.local).toBe(80);
});

test('ports can be swapped', async () => {
  const { serving, problems } = await planServing(
    { ...wanted, port: 443, tlsPort: 80 },
    asWished,
    machine([]),
  );
  expect(serving).toEqual({ ...asWished, port: 443, tlsPort: 80 });
  expect(problems).toEqual([]);
});

test('for any request and any taken ports: serves something, HTTPS if wanted, and never one port twice', async () => {
  const port = fc.constantFrom(80, 443, 8080, 8443);
  const host = fc.constantFrom('::', '0.0.0.0', '127.0.0.1', '::1', '192.0.2.1', '192.0.2.2');
  await fc.assert(
    fc.asyncProperty(
      fc.record({ listen: fc.array(host, { minLength: 1, maxLength: 4 }), port, tlsPort: fc.option(port) }),
      fc.option(fc.constant(asWished)),
      fc.subarray([80, 443, 8080, 8443]),
      fc.subarray(['::1', '192.0.2.1', '192.0.2.2']),
      async (wanted, held, taken, addresses) => {
        const { serving, problems } = await planServing(wanted, held, machine(addresses, taken));
        expect(serving.listen.length).toBeGreaterThan(0);
        if (wanted.tlsPort === null) expect(serving.port).not.toBeNull();
        else expect(serving.tlsPort).not.toBeNull();
        if (serving.port !== null && serving.port !== 0) expect(serving.tlsPort).not.toBe(serving.port);
        const isAsWished = serving.port === wanted.port && serving.tlsPort === wanted.tlsPort;
        if (!isAsWished) expect(problems.length).toBeGreaterThan(0);
      },
    ),
  );
});
