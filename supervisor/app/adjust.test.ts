import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { LiveConfig } from '../config/live-config.ts';
import { parseConfig } from '../config/parse.ts';
import { StateStore } from '../config/state.ts';
import type { Device } from '../contract/index.ts';
import { adjustablesOf } from '../status/adjustables.ts';
import { adjust } from './adjust.ts';

function parsed(text: string) {
  const result = parseConfig(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result;
}

const text = `[[source]]
id = "cam0"
kind = "test"
label = "Stage"
bitrate_kbps = 4000
[[source]]
id = "door"
kind = "rtsp"
url = "rtsp://a/1"
[[source]]
id = "off"
kind = "test"
enabled = false
`;

const control = { default: null, inactive: false, menu: [], min: null, max: null, step: null };
const device = {
  id: 'usb-1',
  source: 'cam0',
  label: 'Stage',
  controls: [
    { ...control, id: 'gain', label: 'Gain', kind: 'integer', min: 0, max: 255, step: 1, value: 30 },
    { ...control, id: 'brightness', label: 'Brightness', kind: 'integer', min: 5, max: 5, value: 5 },
    { ...control, id: 'sharpness', label: 'Sharpness', kind: 'integer', min: 0, max: 9, value: 1 },
    {
      ...control,
      id: 'white_balance_automatic',
      label: 'White balance automatic',
      kind: 'boolean',
      value: true,
    },
    {
      ...control,
      id: 'auto_exposure',
      label: 'Auto exposure',
      kind: 'menu',
      value: 1,
      menu: [
        { value: 1, label: 'Manual Mode' },
        { value: 3, label: 'Aperture Priority Mode' },
      ],
    },
  ],
} as unknown as Device;

describe('Adjustables', () => {
  test('are the bit rate of local encoders and the controls used during a shoot', () => {
    const unused = { ...device, id: 'usb-2', source: null };
    const found = adjustablesOf(parsed(text).config, [device, unused]);
    expect(found.map(({ source, id, kind, value }) => [source, id, kind, value])).toEqual([
      ['cam0', 'target_kbps', 'number', 4000],
      ['cam0', 'gain', 'number', 30],
      ['cam0', 'white_balance_automatic', 'switch', true],
      ['cam0', 'auto_exposure', 'choice', 'Manual Mode'],
    ]);
    expect(found[3]).toMatchObject({
      label: 'Stage auto exposure',
      choices: ['Manual Mode', 'Aperture Priority Mode'],
    });
  });
});

describe('An adjustment', () => {
  function open(takeRunning = false) {
    const { file } = parsed(text);
    const made: unknown[] = [];
    const around = {
      config: {
        current: { file } as never,
        patch: async (patch: unknown) => {
          made.push(typeof patch === 'function' ? patch(file) : patch);
          return {} as never;
        },
      },
      cameras: {
        known: [device],
        setControls: async (id: string, values: unknown) => {
          made.push([id, values]);
          return device;
        },
      },
      takeRunning: () => takeRunning,
    };
    return { around, made };
  }

  test('of a bit rate changes that source alone', async () => {
    const { around, made } = open();
    await adjust({ source: 'cam0', setting: 'target_kbps', value: 8000 }, around);
    const [{ source }] = made as [{ source: Record<string, unknown>[] }];
    expect(source.map(({ id, bitrate_kbps }) => [id, bitrate_kbps])).toEqual([
      ['cam0', 8000],
      ['door', undefined],
      ['off', 6000],
    ]);
  });

  test('of a control goes to the camera of the source', async () => {
    const { around, made } = open(true);
    await adjust({ source: 'cam0', setting: 'auto_exposure', value: 'Manual Mode' }, around);
    expect(made).toEqual([['usb-1', { auto_exposure: 'Manual Mode' }]]);
  });

  test.each([
    [{ source: 'door', setting: 'target_kbps', value: 1 }, 'NOT_SUPPORTED_HERE'],
    [{ source: 'none', setting: 'gain', value: 1 }, 'NOT_SUPPORTED_HERE'],
    [{ source: 'cam0', setting: 'target_kbps', value: 8000 }, 'TAKE_RUNNING'],
  ])('rejects %j', async (change, code) => {
    const { around, made } = open(true);
    await expect(adjust(change, around)).rejects.toMatchObject({ code });
    expect(made).toEqual([]);
  });
});

test('two bit rates at the same moment both count', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rushlight-adjust-'));
  try {
    const logger = pino({ level: 'silent' });
    const state = new StateStore({ file: join(folder, 'state.json'), logger });
    await state.load();
    const file = join(folder, 'rushlight.toml');
    await writeFile(file, text);
    const config = new LiveConfig({ file, lastGoodFile: join(folder, 'last-good.toml'), state, logger });
    await config.load();
    const around = {
      config,
      cameras: { known: [], setControls: async () => device },
      takeRunning: () => false,
    };
    await Promise.all([
      adjust({ source: 'cam0', setting: 'target_kbps', value: 8000 }, around),
      adjust({ source: 'off', setting: 'target_kbps', value: 2000 }, around),
    ]);
    const rates = config.current.file.source.map((one) => [
      one.id,
      'bitrate_kbps' in one ? one.bitrate_kbps : null,
    ]);
    expect(rates).toEqual([
      ['cam0', 8000],
      ['door', null],
      ['off', 2000],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
