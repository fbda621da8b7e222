import { writeFileSync } from 'node:fs';
import { type Board, boards } from './boards.ts';
import { chooseEncoder, type EncoderFacts } from './encoder-choice.ts';

const h264Cameras = 'USB camera that sends H.264, 1080p30';

const cameras: readonly (readonly [title: string, facts: EncoderFacts])[] = [
  [h264Cameras, { cameraSendsH264: true, width: 1920, height: 1080, fps: 30 }],
  ['Camera module or MJPEG camera, 1080p30', { cameraSendsH264: false, width: 1920, height: 1080, fps: 30 }],
  ['Camera module, 720p60', { cameraSendsH264: false, width: 1280, height: 720, fps: 60 }],
  ['Camera module, 1080p50', { cameraSendsH264: false, width: 1920, height: 1080, fps: 50 }],
  ['Camera module, 2304x1296, 30 fps', { cameraSendsH264: false, width: 2304, height: 1296, fps: 30 }],
  [
    'YUYV camera, 640x480, 30 fps, 2000 kbit/s',
    { cameraSendsH264: false, width: 640, height: 480, fps: 30, bitrateKbps: 2000 },
  ],
  [
    'Camera module, 1080p30, over a link of 5 Mbit/s',
    { cameraSendsH264: false, width: 1920, height: 1080, fps: 30, linkKbps: 5000 },
  ],
];

const preamble = `<!-- Generated from media/capture/encoder-choice.ts by media/capture/encoder-docs.ts. -->

# How the live picture is encoded

Every source is encoded at most once, and not at all if the camera sends H.264 itself. The choice follows from the board, the
camera, the settings and the measured link. The API gives the choice and its reason for every source (\`encoder\` in
\`GET /api/status\`). It does not affect masters.

If a reason says "assumed", nobody has measured the board's software encoder yet. The bit rate is 6000 kbit/s unless stated.
`;

/** docs/reference/encoders.md */
export function encodersMarkdown(): string {
  const sections = Object.entries(boards).map(([board, { title, hardwareH264 }]) => {
    const rows = cameras.map(([camera, facts]) => row(camera, board as Board, hardwareH264, facts));
    return [
      `## ${title}`,
      '',
      '| camera | encoder | fps | kbit/s | level | why |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
  });
  return `${preamble}\n${sections.join('\n')}`;
}

function row(camera: string, board: Board, hardwareH264: boolean, facts: EncoderFacts): string {
  const node = hardwareH264 ? { hardwareEncoder: '/dev/video11' } : {};
  const plan = chooseEncoder({ ...facts, ...node, board });
  const own = plan.encoder === 'mjpeg' ? '–' : "the camera's";
  const why = [plan.reason, ...plan.warnings].join(' ');
  const cells = [camera, `\`${plan.encoder}\``, plan.fps, plan.bitrateKbps ?? own, plan.level ?? own, why];
  return `| ${cells.join(' | ')} |`;
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/reference/encoders.md', import.meta.url), encodersMarkdown());
}
