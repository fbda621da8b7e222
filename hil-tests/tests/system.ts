import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { askNtp } from '../lib/ntp.ts';
import type { TestCase } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';

/** Sends a word to every client that connects to port 8080. */
const listener =
  'my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 1); while (my $c = $s->accept) { print $c "reached"; close $c }';

/** Tests of the system around the product. */
export const systemTests: readonly TestCase[] = [
  {
    name: 'root is read-only',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 15_000,
    async run({ rig }) {
      // A remount is refused, or accepted without effect: what counts is that nothing can be written after it.
      await rig.network.shell('mount -o remount,rw / 2> /dev/null || true');
      assert.match(await rig.network.shell('findmnt -n -o FSTYPE,OPTIONS /'), /^squashfs\s+ro\b/);
      for (const path of ['/usr/lib/rushlight/x', '/etc/x', '/boot/x', '/usr/bin/x']) {
        const said = await rig.network.shell(`touch ${path} 2>&1 || true`);
        assert.match(said, /Read-only file system/, path);
      }
    },
  },
  {
    name: 'state lies on the data partition, logs are bounded',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 15_000,
    async run({ rig, note }) {
      const mounts = await rig.network.shell(
        'findmnt -n -o SOURCE,FSTYPE /data; findmnt -n -o SOURCE /var/log/journal; swapon --show=NAME --noheadings',
      );
      assert.match(mounts, /ext4/);
      assert.match(mounts, /zram0/);
      const size = Number(await rig.network.shell('blockdev --getsize64 "$(findmnt -n -o SOURCE /data)"'));
      note(`the data partition has ${Math.round(size / 1048576)} MiB`);
      assert.ok(size > 1024 * 1024 * 1024, 'it grew to the end of the card');
      const journal = await rig.network.shell('systemd-analyze cat-config systemd/journald.conf');
      assert.match(journal, /^SystemMaxUse=64M$/m);
    },
  },
  {
    name: 'only the expected ports are open',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 30_000,
    async run({ rig, note }) {
      const [tcp, udp] = await Promise.all(
        ['open_tcp', 'open_udp'].map((set) => rig.network.shell(`nft -j list set inet rushlight ${set}`)),
      );
      note(`firewall: tcp ${elements(tcp ?? '')}; udp ${elements(udp ?? '')}`);
      assert.deepEqual(
        elements(tcp ?? '').filter((port) => port !== 8189),
        [22, 80, 443],
      );
      assert.deepEqual(
        elements(udp ?? '').filter((port) => ![123, 5353, 8189].includes(port)),
        [],
      );
      // A listener of our own behind the firewall: a port that was not opened must not be reachable from outside.
      await rig.network.shell(
        `systemd-run --quiet --collect --unit=rig-listener perl -MIO::Socket::INET -e '${listener}'; until ss -lnt | grep -q :8080; do sleep 0.2; done`,
      );
      try {
        const { host, port } = rig.network.endpoint('tcp', 8080);
        assert.equal(await readSome(host, port, 5000), '', 'port 8080 is shut');
      } finally {
        await rig.network.shell('systemctl stop rig-listener');
      }
    },
  },
  {
    name: 'host name and service are found by mDNS',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 40_000,
    async run({ rig, note, api }) {
      const timeoutMs = 15_000 * rig.slowness;
      const host = `${(await rig.network.shell('cat /proc/sys/kernel/hostname')).trim()}.local`;
      const records = await rig.network.askMdns({ name: host, type: 'A' }, timeoutMs);
      const addresses = records.filter(({ type }) => type === 'A').map(({ data }) => data);
      note(`${host} is ${addresses.join(', ')}`);
      assert.ok(addresses.length > 0, `${host} is answered on the link`);
      // What cameras look for, and Home Assistant could: without it nothing would find the hub by itself.
      const service = await rig.network.askMdns({ name: '_rushlight._tcp.local', type: 'PTR' }, timeoutMs);
      const text = service.find(({ type }) => type === 'TXT')?.data ?? '';
      note(text.replaceAll('\n', ', '));
      const { id, role } = (await api.json('getStatus')).device;
      assert.match(text, new RegExp(`^id=${id}$`, 'm'));
      assert.match(text, new RegExp(`^role=${role}$`, 'm'));
      assert.match(text, /^tls=[0-9a-f]{64}$/m);
    },
  },
  {
    name: 'the hub is the clock of its LAN',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 60_000,
    async run({ rig, note, signal }) {
      const { host, port } = rig.network.endpoint('udp', 123);
      const answer = await waitFor(
        'a usable answer by NTP',
        async () => {
          const said = await askNtp(host, port, 5000 * rig.slowness);
          return said !== null && said.mode === 4 && said.leap !== 3 && said.stratum > 0 && said;
        },
        { timeoutMs: 40_000 * rig.slowness, signal },
      );
      note(
        `stratum ${answer.stratum}, ${(answer.transmitUnixMs - Date.now()).toFixed(0)} ms from the rig's clock`,
      );
      assert.ok(answer.stratum <= 15);
      // Without a network no server can be better than the hub itself.
      assert.match(await rig.network.shell('chronyc -n tracking'), /Leap status\s*: Normal/);
    },
  },
  {
    name: 'units are sandboxed',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 30_000,
    async run({ rig, note }) {
      const units =
        'rushlight.service rushlight-provision.service rushlight-firewall.service rushlight-factory-reset.service';
      const said = await rig.network.shell(
        `for u in ${units}; do echo "$u $(systemd-analyze security --no-pager "$u" | tail -n 1)"; done`,
        { timeoutMs: 60_000 * rig.slowness },
      );
      for (const line of said.trim().split('\n')) note(line.replace(/.*?(rushlight\S*).*?:\s*/, '$1: '));
      const scores = [...said.matchAll(/(\S+\.service) .*?: (\d+\.\d)/g)].map(
        ([, unit, score]) => [unit, Number(score)] as const,
      );
      assert.equal(scores.length, 4);
      for (const [unit, score] of scores) assert.ok(score < 7, `${unit} scores ${score}`);
    },
  },
];

function elements(json: string): number[] {
  const parsed = JSON.parse(json) as { nftables: { set?: { elem?: number[] } }[] };
  return (parsed.nftables.find((one) => one.set !== undefined)?.set?.elem ?? []).toSorted((a, b) => a - b);
}

/** What a port sends at once; empty if it is closed, or silent. */
async function readSome(host: string, port: number, timeoutMs: number): Promise<string> {
  const socket = connect(port, host);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('utf8');
  });
  socket.on('error', () => {}); // refused or reset: nothing was read
  await sleep(timeoutMs);
  socket.destroy();
  return text;
}
