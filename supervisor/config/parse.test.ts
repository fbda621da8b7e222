import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeConfig } from './load.ts';
import { migrateConfig } from './migrate.ts';
import { parseConfig } from './parse.ts';
import { formatProblem } from './problem.ts';

const good = readFileSync(new URL('./fixtures/whole.toml', import.meta.url), 'utf8');
const lineCount = good.split('\n').length;

function problems(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

test('reports one port for HTTP and HTTPS as a problem, unless there is no HTTPS', () => {
  const text = (more: string) => `[http]\nport = 8080\ntls_port = 8080\n${more}`;
  expect(problems(text(''))).toEqual([expect.stringMatching(/^line 3, http\.tls_port: .*8080/)]);
  expect(problems(text('tls = false\n'))).toEqual([]);
});

describe('a good file', () => {
  it('yields settings in camelCase, with defaults, and leaves names of controls alone', () => {
    const parsed = parseConfig(good);
    expect(parsed).toMatchObject({
      ok: true,
      notices: [],
      config: {
        role: 'camera',
        source: [
          { id: 'cam0', fps: 29.97, bitrateKbps: 6000, roi: [0, 0, 1, 0.5], keyframeIntervalS: 1 },
          { id: 'usb', label: 'Left\ncamera', controls: { exposure_auto: 1, focus_auto: false } },
          { id: 'door', passwordFile: 'door.password', transport: 'tcp' },
        ],
        http: { listen: ['0.0.0.0', '::1'], port: 8080, tlsPort: 443 },
        recordButton: { gpio: 22, active: 'low' },
      },
    });
  });

  it('may be empty, and may come from any editor', () => {
    expect(parseConfig('')).toMatchObject({ ok: true, config: { role: 'auto', source: [] } });
    const windows = decodeConfig(Buffer.from(`\uFEFF${good.replaceAll('\n', '\r\n')}`));
    expect(windows.state === 'read' && parseConfig(windows.text).ok).toBe(true);
  });
});

describe('a wrong file', () => {
  it.each([
    ['role = ', 'line 1: not TOML: a value is missing after the equals sign'],
    ['\nrole = "hubb"', 'line 2, role: expected one of "auto", "hub", "camera"'],
    ['rolle = "hub"', 'line 1, rolle: unknown key; the nearest known key is role'],
    ['\n[mqtt]\nurll = "auto"', 'line 3, mqtt.urll: unknown key; the nearest known key is mqtt.url'],
    ['channel = "beta"', 'line 1, channel: unknown key; the nearest known key is update.channel'],
    ['role = 7', 'line 1, role: expected one of "auto", "hub", "camera"'],
    ['[jumper]\n\ngpio = "17"', 'line 3, jumper.gpio: expected a BCM number from 0 to 27'],
    ['[jumper]\ngpio = 28', 'line 2, jumper.gpio: expected a BCM number from 0 to 27'],
    ['name = "Stage"', 'line 1, name: expected 1 to 63 lower-case letters, digits and inner hyphens'],
    ['media = 3', 'line 1, media: expected a table'],
    ['[masters]\nreserve_mb = 1.5', 'line 2, masters.reserve_mb: expected a whole number'],
    ['[http]\nlisten = [\n"::",\n"x"]', 'line 4, http.listen[1]: expected an IP address'],
    ['[http]\nlisten = []', 'line 2, http.listen: expected a list of at least 1'],
    ['[http]\ncert_file = "a"', 'line 2, http.cert_file: expected a key_file together with cert_file'],
    ['[tally_light]\ngpio = 17', 'line 2, tally_light.gpio: expected another line; 17 belongs to [jumper]'],
    [
      '[[source]]\nid = "a"\nkind = "test"\nbitrate = 3',
      'line 4, source[0].bitrate: unknown key; the nearest known key is source[0].bitrate_kbps',
    ],
    [
      '[[source]]\nid = "a"\n\nkind = "x"',
      'line 4, source[0].kind: expected one of "file", "rpicam", "rtsp", "test", "v4l2"',
    ],
    [
      '[[source]]\nid = "a"',
      'line 1, source[0].kind: missing; expected one of "file", "rpicam", "rtsp", "test", "v4l2"',
    ],
    ['[[source]]\nkind = "test"', 'line 1, source[0].id: missing; expected text in quotes'],
    [
      '[[source]]\nid = "a"\nkind = "test"\n[[source]]\nid = "a"\nkind = "test"',
      'line 5, source[1].id: expected an id no other source has; "a" is taken',
    ],
    ['a.b.c = 1\n', 'line 1, a: unknown key; the nearest known key is role'],
    [
      'source = [{ id = "a", kind = "test" },\n{ id = "b", kind = "test", fps = 0 }]',
      'line 2, source[1].fps: expected a number of at least 1',
    ],
    ['[masters]\nreserve_mb = "512"', 'line 2, masters.reserve_mb: expected a number, without quotes'],
    [
      '[source]\nid = "a"\nkind = "test"',
      'line 1, source: expected a list; write [[source]] with two brackets on each side',
    ],
    [
      '[[source]]\nid = "a"\nkind = "test"\nname = "Stage"',
      'line 4, source[0].name: unknown key; the nearest known key is source[0].label',
    ],
    ['[mqtt]\nhost = "1.2.3.4"', 'line 2, mqtt.host: unknown key; the nearest known key is mqtt.url'],
    [
      '[mqtt]\nrole = "hub"',
      'line 2, mqtt.role: unknown key; the nearest known key is role, which belongs above the first [table]',
    ],
  ])('%j names line, key and what was expected', (text, problem) => {
    const found = problems(text);
    if (problem.includes('a: unknown key'))
      expect(found[0]).toMatch(/^line 1, a: unknown key; the nearest known key is /);
    else expect(found).toEqual([problem]);
  });

  it.each([
    ['role = “hub”', 'typographic quotes; write straight ones: "…"'],
    [
      'role\u00a0= "hub"',
      'a space that only looks like one, copied from a web page; delete it and type it again',
    ],
    ['{"role": "hub"}', 'this is JSON; write each setting as name = value on a line of its own'],
    ['role: "hub"', 'a colon; write name = value'],
    ['role "hub"', 'an equals sign is missing; write name = value'],
    ['[masters\ncodec = "off"', 'a closing bracket is missing'],
    ['[http]\ntls = True # please', 'true and false have no capitals'],
    ['[masters]\nreserve_mb = 512MB', 'a number has no unit; write the number alone'],
    ['[masters]\nreserve_mb = 1,024', 'a number has no comma; write 6000, or 29.97'],
    ['role = hub', 'text needs quotes: name = "text"'],
    ['[masters]\npath = /mnt/ssd', 'text needs quotes: name = "text"'],
    ['role = "hub', 'a closing quote is missing'],
    ['role = "hub";', 'a line does not end with a semicolon'],
    ['role = "hub" // mine', 'a comment begins with #'],
    ['role = "hub"\rname = "a"', 'line ends of an old Mac; save it with those of Unix or Windows'],
    ['[log]\nlevel = "info"\n[mqtt]\n[log]', '[log] is already there in line 1; put its settings together'],
    ['role = "hub"\nrole = "hub"', 'role is already set; keep one of the two'],
    ['role = "hub" "camera"', 'each key-value declaration must be followed by an end-of-line'],
  ])('%j is not TOML: says how to write it', (text, advice) => {
    expect(problems(text)).toEqual([expect.stringMatching(/^line \d: not TOML: /)]);
    expect(problems(text)[0]?.replace(/^line \d: not TOML: /, '')).toBe(advice);
  });

  it('never shows a password that was put into an address', () => {
    expect(problems('[mqtt]\nurl = "mqtt://me:secret@broker"').join()).not.toContain('secret');
  });

  it('reports all its problems in the order of the file', () => {
    const lines = problems('x = 1\nrole = 1\n[log]\nlevel = "loud"\ny = 1').map((text) => text.split(',')[0]);
    expect(lines).toEqual(['line 1', 'line 2', 'line 4', 'line 5']);
  });

  it.each([
    ['with a mark of UTF-8', Buffer.from('\ufeffname = "bühne"')],
    ['as UTF-16', Buffer.from('\ufeffname = "bühne"', 'utf16le')],
    ['as UTF-16, the other way round', Buffer.from('\ufeffname = "bühne"', 'utf16le').swap16()],
  ])('is read %s', (_how, bytes) => {
    expect(decodeConfig(bytes)).toEqual({ state: 'read', text: 'name = "bühne"' });
  });

  it('is rejected if it contains half a UTF-16 character', () => {
    expect(decodeConfig(Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x62]))).toMatchObject({ state: 'unreadable' });
  });

  it('is rejected with its line if it is not UTF-8', () => {
    expect(decodeConfig(Buffer.from([0x61, 0x0a, 0x0a, 0xff, 0x0a]))).toMatchObject({ problem: { line: 3 } });
  });
});

describe('a file from a newer release', () => {
  it('is read as far as it is understood', () => {
    const parsed = parseConfig(
      'config_version = 2\nrole = "hub"\nnew = 1\n[log]\nlevel = "warn"\ncolour = "red"',
    );
    expect(parsed).toMatchObject({ ok: true, config: { role: 'hub', log: { level: 'warn' } } });
    expect(parsed.ok && parsed.notices.map(({ key }) => key)).toEqual(['new', 'log.colour']);
  });

  it('is rejected if it has an unknown value for a known key', () => {
    expect(problems('config_version = 2\nnew = 1\nrole = "director"')).toEqual([
      'line 3, role: expected one of "auto", "hub", "camera"',
    ]);
  });
});

describe('migrateConfig', () => {
  const steps = [
    {
      to: 2,
      migrate: ({ old, ...rest }: Record<string, unknown>) => ({
        ...rest,
        ...(old !== undefined && { now: old }),
      }),
    },
    { to: 3, migrate: (table: Record<string, unknown>) => ({ ...table, third: true }) },
  ];

  it('applies the steps a file needs and no others', () => {
    expect(migrateConfig({ config_version: 1, old: 7 }, steps, 3)).toEqual({
      table: { config_version: 3, now: 7, third: true },
      isNewer: false,
    });
    expect(migrateConfig({ config_version: 2, old: 7 }, steps, 3).table).toEqual({
      config_version: 3,
      old: 7,
      third: true,
    });
    expect(migrateConfig({ old: 7 }, steps, 3)).toEqual({ table: { old: 7 }, isNewer: false });
    expect(migrateConfig({ config_version: 4 }, steps, 3)).toEqual({
      table: { config_version: 4 },
      isNewer: true,
    });
  });
});

describe('a mutated file never crashes the loader', () => {
  function check(bytes: Uint8Array): void {
    const found = decodeConfig(bytes);
    if (found.state !== 'read') {
      expect(found).toMatchObject({ state: 'unreadable', problem: { line: expect.any(Number) } });
      return;
    }
    const parsed = parseConfig(found.text);
    if (parsed.ok) return;
    expect(parsed.problems.length).toBeGreaterThan(0);
    for (const problem of parsed.problems) {
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.line).toBeLessThanOrEqual(found.text.split('\n').length);
      expect(problem.message).not.toContain('something else');
      expect(problem.message).not.toContain('undefined');
    }
  }

  it('with bytes flipped', () => {
    const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(flips, (list) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of list) bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('with lines duplicated, moved and removed', () => {
    const edit = fc.tuple(fc.constantFrom('double', 'remove', 'move'), fc.nat(lineCount), fc.nat(lineCount));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const lines = good.split('\n');
        for (const [what, from, to] of edits) {
          const taken = what === 'double' ? lines.slice(from, from + 1) : lines.splice(from, 1);
          if (what !== 'remove') lines.splice(to, 0, ...taken);
        }
        check(Buffer.from(lines.join('\n')));
      }),
      { numRuns: 500 },
    );
  });

  it('with parts removed', () => {
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(200), (from, length) => {
        check(Buffer.from(good.slice(0, from) + good.slice(from + length)));
      }),
      { numRuns: 500 },
    );
  });

  it('with values of other types', () => {
    const value = fc.constantFrom(
      '1',
      '-1.5',
      'nan',
      '"text"',
      'true',
      '[]',
      '[[1], {}]',
      '{ a = 1 }',
      '1979-05-27',
      "''",
    );
    fc.assert(
      fc.property(fc.nat(lineCount), value, (at, text) => {
        const lines = good
          .split('\n')
          .map((line, index) => (index === at ? line.replace(/=.*/, `= ${text}`) : line));
        check(Buffer.from(lines.join('\n')));
      }),
      { numRuns: 500 },
    );
  });

  it('with text that never was a config', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => check(Buffer.from(text))),
      { numRuns: 500 },
    );
  });
});
