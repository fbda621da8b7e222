import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Feed, Status } from '../../../contract/index.ts';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { picture, usePages } from '../../testing/browser.ts';
import { faintTexts } from '../../testing/contrast.ts';
import {
  cameraFixture,
  deviceFixture,
  feedFixture,
  outputFixture,
  sourceFixture,
  statusFixture,
  takeCameraFixture,
  takeFixture,
} from '../../testing/fixture.ts';

const pages = usePages();

const screens = [
  { name: 'desktop', width: 1440, height: 900 },
  { name: 'upright', width: 390, height: 844 },
  { name: 'lying', width: 844, height: 390 },
  // Also a laptop at 200 %.
  { name: 'small lying', width: 640, height: 360 },
  { name: 'narrow', width: 360, height: 640 },
  { name: 'least', width: 320, height: 568 },
] as const;

const feeds = (count: number): Feed[] =>
  Array.from({ length: count }, (_, index) =>
    feedFixture({
      id: `cam${index}`,
      label: index === 1 ? 'Stage left, behind the second curtain' : `Camera ${index + 1}`,
      state: index === 1 ? 'stalled' : index === 2 ? 'offline' : 'online',
      audioCodec: index === 0 ? 'opus' : null,
      publisher: index === 1 ? { kind: 'whip', camera: 'a1b2c3', sinceMs: 9000 } : null,
    }),
  );

const busyCameras = [
  cameraFixture({
    sources: [
      sourceFixture({ id: 'cam1', state: 'stalled', reason: 'No frame for 4 s; restarting the camera.' }),
    ],
  }),
  cameraFixture({ id: 'ffff', name: 'balcony', online: false }),
];

const busy: Status = statusFixture({
  feeds: feeds(5),
  cameras: busyCameras,
  config: {
    file: '/boot/rushlight/rushlight.toml',
    errors: [
      {
        line: 12,
        key: 'source[0].fsp',
        message: 'unknown key',
        expected: 'one of the keys of [[source]]',
        nearest: 'fps',
      },
    ],
  },
  recording: {
    state: 'recording',
    take: takeFixture({
      startedAt: new Date(Date.now() - 754_000).toISOString(),
      stoppedAt: null,
      state: 'recording',
      cameras: [
        takeCameraFixture({ state: 'recording', verified: false, frames: 22_620 }),
        takeCameraFixture({
          camera: 'cam1',
          device: 'a1b2c3',
          state: 'failed',
          verified: false,
          reason: 'The disk was removed.',
          frames: 812,
          droppedFrames: 3,
        }),
      ],
    }),
    remainingS: 1500,
    refusal: null,
  },
});

const takes = [
  takeFixture({
    cameras: [
      takeCameraFixture({ segments: 3 }),
      takeCameraFixture({ camera: 'cam1', device: 'a1b2c3', droppedFrames: 2 }),
    ],
  }),
  takeFixture({
    id: '20261122t101500-x1',
    startedAt: '2026-11-22T10:15:00.000Z',
    stoppedAt: '2026-11-22T10:19:40.000Z',
    state: 'failed',
    cameras: [takeCameraFixture({ state: 'failed', verified: false, reason: 'The disk was removed.' })],
  }),
];

const openAll = (folds: Element[]) => {
  for (const fold of folds) fold.setAttribute('open', '');
};

const devices = [
  deviceFixture(),
  deviceFixture({
    id: 'usb-live',
    label: 'Stage left, behind the second curtain',
    use: 'used',
    source: 'cam1',
  }),
  deviceFixture({
    id: 'receiver-csi',
    name: 'Camera module',
    label: 'Camera module',
    kind: 'libcamera',
    use: 'unused',
    formats: [],
    controls: [],
    note: 'needs libcamera (rpicam-apps): rpicam-hello is not installed',
  }),
];

const cameras: Status = statusFixture({
  sources: [
    sourceFixture(),
    sourceFixture({ id: 'cam1', kind: 'v4l2', label: 'Stage left, behind the second curtain' }),
    sourceFixture({
      id: 'balcony',
      kind: 'rtsp',
      label: 'Balcony',
      state: 'waiting',
      encoder: null,
      reason: 'rtsp://192.168.1.40/stream1 does not answer. Is it switched on?',
    }),
  ],
  cameras: busyCameras,
  outputs: [
    outputFixture(),
    outputFixture({
      id: 'everywhere',
      label: 'Overflow room, second floor, behind the bar',
      feed: '*',
      server: 'https://media-server-of-the-house.example.com:8889',
      state: 'failed',
      reason:
        'cam1 (and 1 more): The server refused the token (401). Check the token of this output. It said: authentication failed',
      flows: ['cam0', 'cam1', 'balcony'].flatMap((feed, index) =>
        outputFixture().flows.map((flow) => ({
          ...flow,
          feed,
          ...(index === 0
            ? {}
            : ({ state: 'failed', reason: 'The server refused the token (401).' } as const)),
        })),
      ),
    }),
    outputFixture({
      id: 'old',
      label: 'Old',
      state: 'off',
      reason: 'Switched off in the settings.',
      flows: [],
    }),
  ],
});

const outputSettings = cameras.outputs.map(({ id, label, feed, state }) => ({
  id,
  label,
  feed,
  url: `https://live.example.com/whip/${id}/{feed}`,
  token: 'not shown',
  tls_fingerprint: 'ab'.repeat(32),
  enabled: state !== 'off',
}));

/** What a layout must never do, found in the page itself. */
const faults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`page is ${scrollWidth - clientWidth} px too wide`);
    const shown = (element: Element) => {
      const { width, height } = element.getBoundingClientRect();
      return width > 0 && height > 0 && element.checkVisibility();
    };
    for (const element of document.querySelectorAll(
      'button, a:is(.button, .tab, .tool, .last-take), .row > a, .fact dd > a, input:not([type=checkbox], [type=radio]), select, summary',
    )) {
      const { width, height } = element.getBoundingClientRect();
      if (shown(element) && (width < 44 || height < 44)) {
        found.push(
          `${element.className || element.tagName} is only ${Math.round(width)}x${Math.round(height)}`,
        );
      }
    }
    for (const element of document.querySelectorAll(
      '[data-testid="record"], .tab, .tile, [data-testid="single"]',
    )) {
      const { left, right } = element.getBoundingClientRect();
      if (shown(element) && (left < -0.5 || right > clientWidth + 0.5))
        found.push(`${element.className} sticks out`);
    }
    for (const tile of document.querySelectorAll('[data-testid="tile"]')) {
      const { width, height } = tile.getBoundingClientRect();
      if (shown(tile) && Math.abs(width / height - 16 / 9) > 0.05) found.push(`tile of ${width}x${height}`);
    }
    for (const tool of document.querySelectorAll('.tool')) {
      const box = tool.getBoundingClientRect();
      for (const text of tool.closest('.tile')?.querySelectorAll('.state-badge, .rec-badge, .tile-figures') ??
        []) {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        const overlaps = left < box.right - 1 && right > box.left + 1 && top < box.bottom && bottom > box.top;
        if (shown(tool) && shown(text) && overlaps) found.push(`${tool.className} covers ${text.className}`);
      }
    }
    for (const text of document.querySelectorAll('.brand h1, .badge')) {
      if (!shown(text) || text.scrollWidth > text.clientWidth + 1) found.push(`“${text.textContent}” is cut`);
    }
    for (const element of document.querySelectorAll<HTMLElement>(
      'a, button, input, select, summary, progress',
    )) {
      const labels = 'labels' in element ? (element as HTMLInputElement).labels : null;
      // The choices of a list are not its name.
      const own = element.tagName === 'SELECT' ? '' : element.textContent;
      const name = `${element.getAttribute('aria-label') ?? ''}${own}${labels?.[0]?.textContent ?? ''}`;
      if (shown(element) && name.trim() === '') found.push(`${element.outerHTML.slice(0, 80)} has no name`);
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    for (const id of new Set(ids)) {
      if (ids.filter((one) => one === id).length > 1) found.push(`the id ${id} is there twice`);
    }
    const messages = [...document.querySelectorAll('.messages > *')].filter(shown);
    for (const [index, message] of messages.entries()) {
      const below = messages[index + 1]?.getBoundingClientRect().top ?? Number.POSITIVE_INFINITY;
      const { bottom } = message.getBoundingClientRect();
      if (bottom > below + 0.5 || message.scrollHeight > message.clientHeight + 1) {
        found.push(`“${message.textContent?.slice(0, 30)}” runs into what is below it`);
      }
    }
    const stage = document.querySelector('[data-testid="single"] .stage')?.getBoundingClientRect();
    for (const tool of document.querySelectorAll('[data-testid="single"] :is(a, button).tool')) {
      const { right, left, top, bottom } = tool.getBoundingClientRect();
      if (stage === undefined || !shown(tool)) continue;
      const apart =
        right <= stage.left || left >= stage.right || bottom <= stage.top + 1 || top >= stage.bottom - 1;
      if (!apart) found.push(`${tool.textContent} covers the picture`);
    }
    const bar = document.querySelector('[data-testid="record"]')?.getBoundingClientRect();
    if (bar !== undefined && bar.bottom > innerHeight) found.push('record button is below the screen');
    return found;
  });

const visit = async (
  screen: (typeof screens)[number],
  change: { status: Status; hash?: string; light?: boolean; open?: boolean; picture: string },
) => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = change.status;
  appliance.takes = [...takes];
  appliance.devices = devices;
  appliance.settings.output = outputSettings;
  appliance.unplugged = [{ id: 'usb-gone', label: 'Podium', feed: 'podium' }];
  const context = await pages.browser.newContext({
    viewport: { width: screen.width, height: screen.height },
    hasTouch: screen.name !== 'desktop',
    colorScheme: change.light ? 'light' : 'dark',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // The refused WHEP offers of this fake show as 409.
    if (message.type() === 'error' && !message.text().includes('409')) errors.push(message.text());
  });
  await page.goto(`${await appliance.listen()}/${change.hash ?? ''}`);
  await page.locator('[data-testid="record"]').waitFor({ timeout: 30_000 });
  await page.locator('[data-state="connecting"]').first().waitFor({ state: 'hidden', timeout: 30_000 });
  if (change.open) await page.locator('details.fold').evaluateAll(openAll);
  await page.screenshot({ path: picture(`${change.picture}-${screen.name}`) });
  const found = [...(await faults(page)), ...(await faintTexts(page))];
  await context.close();
  return [...found, ...errors];
};

describe.each(screens)('$name', (screen) => {
  test('a busy grid', async () => {
    expect(await visit(screen, { status: busy, picture: 'grid' })).toEqual([]);
  });

  test.each([1, 16])('%i feeds', async (count) => {
    const status = statusFixture({ feeds: feeds(count) });
    expect(await visit(screen, { status, picture: `feeds-${count}` })).toEqual([]);
  });

  test('one feed large', async () => {
    expect(await visit(screen, { status: busy, hash: '#/feed/cam1', picture: 'single' })).toEqual([]);
  });

  test('cameras, with everything opened', async () => {
    const change = { status: cameras, hash: '#/cameras', open: true, picture: 'cameras-open' };
    expect(await visit(screen, change)).toEqual([]);
  });

  test('takes, system, no camera, adoption, light', async () => {
    expect(await visit(screen, { status: busy, hash: '#/takes', picture: 'takes' })).toEqual([]);
    expect(await visit(screen, { status: busy, hash: '#/system', picture: 'system' })).toEqual([]);
    expect(await visit(screen, { status: cameras, hash: '#/cameras', picture: 'cameras' })).toEqual([]);
    const none = statusFixture({ feeds: [], sources: [] });
    expect(await visit(screen, { status: none, picture: 'empty' })).toEqual([]);
    const adoption = { code: '654321', hubName: 'front-of-house', confirm: 'several-hubs' as const };
    const newCameras = [
      {
        id: 'c0ffee',
        name: 'balcony-right',
        version: '0.1.0',
        address: '192.168.7.130',
        code: '123456',
        since: '2026-11-22T11:30:00.000Z',
      },
    ];
    const mqtt = {
      state: 'waiting' as const,
      broker: null,
      protocol: null,
      reason: null,
      found: {
        id: 'b1',
        name: 'mosquitto on nas-in-the-basement',
        url: 'mqtt://192.168.7.44:1883',
        host: 'nas-in-the-basement.local',
      },
    };
    const { errors } = busy.config;
    const config = { file: busy.config.file, errors };
    const asking = statusFixture({ newCameras, adoption, mqtt, config });
    expect(await visit(screen, { status: asking, picture: 'adoption' })).toEqual([]);
  });

  test('light', async () => {
    const light = true;
    expect(await visit(screen, { status: busy, light, picture: 'light' })).toEqual([]);
    for (const page of ['takes', 'system', 'cameras']) {
      const change = { status: cameras, light, hash: `#/${page}`, picture: `light-${page}` };
      expect(await visit(screen, change)).toEqual([]);
    }
  });
});
