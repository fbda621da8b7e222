import type { DeviceFormat } from '../../contract/index.ts';

/** A camera as `rpicam-hello --list-cameras` lists it. */
export interface LibcameraCamera {
  /** Number to pass to `rpicam-vid --camera`. */
  readonly index: number;
  readonly model: string;
  /** Full id, such as /base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly modes: readonly SensorMode[];
}

/** One mode of a sensor: size in pixels, rate in frames per second. */
export interface SensorMode {
  /** libcamera's name, such as SRGGB10_CSI2P */
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly maxFps: number;
}

const cameraLine = /^\s*(\d+) : (.+?) \[(\d+)x(\d+)[^\]]*\] \(([^)]+)\)\s*$/;
const modesStart = /'(\w+)' : /;
const modeText = /(\d+)x(\d+)(?: \[([\d.]+) fps| \(([\d.]+) fps)/g;

/** V4L2 codes of the raw formats Raspberry Pi's sensors have (linux/videodev2.h). */
const rawCodes: Readonly<Record<string, string>> = {
  SBGGR8: 'BA81',
  SGBRG8: 'GBRG',
  SGRBG8: 'GRBG',
  SRGGB8: 'RGGB',
  SBGGR10_CSI2P: 'pBAA',
  SGBRG10_CSI2P: 'pGAA',
  SGRBG10_CSI2P: 'pgAA',
  SRGGB10_CSI2P: 'pRAA',
  SBGGR12_CSI2P: 'pBCC',
  SGBRG12_CSI2P: 'pGCC',
  SGRBG12_CSI2P: 'pgCC',
  SRGGB12_CSI2P: 'pRCC',
  R8: 'GREY',
  R10_CSI2P: 'Y10P',
  R12_CSI2P: 'Y12P',
};

const processedSizes = [
  [640, 480],
  [1280, 720],
  [1920, 1080],
  [2560, 1440],
  [3840, 2160],
] as const;

/** Reads `rpicam-hello --list-cameras` (rpicam-apps 1.0 to 1.9). Leaves out USB cameras, which libcamera lists, too. */
export function parseCameraList(text: string): LibcameraCamera[] {
  const cameras: (Omit<LibcameraCamera, 'modes'> & { modes: SensorMode[] })[] = [];
  let format = '';
  for (const line of text.split('\n')) {
    const match = cameraLine.exec(line);
    if (match !== null) {
      const [index = 0, width = 0, height = 0] = [match[1], match[3], match[4]].map(Number);
      cameras.push({ index, model: match[2] ?? '', path: match[5] ?? '', width, height, modes: [] });
      format = '';
      continue;
    }
    const camera = cameras.at(-1);
    if (camera === undefined) continue;
    format = modesStart.exec(line)?.[1] ?? format;
    if (format === '') continue;
    for (const [, width, height, bracketed, inParentheses] of line.matchAll(modeText)) {
      const maxFps = Number(bracketed ?? inParentheses);
      camera.modes.push({ format, width: Number(width), height: Number(height), maxFps });
    }
  }
  return cameras.filter((camera) => !/usb/i.test(camera.path));
}

/**
 * Formats of a libcamera camera: what the ISP delivers (any size up to the sensor's; the usual ones and the sensor's
 * own are listed, each with the rate of the fastest mode that is large enough), then the raw modes.
 */
export function libcameraFormats(camera: LibcameraCamera): DeviceFormat[] {
  const sizes = [...processedSizes, ...camera.modes.map(({ width, height }) => [width, height] as const)];
  const distinct = new Map(sizes.map(([width, height]) => [`${width}x${height}`, { width, height }]));
  const processed = [...distinct.values()]
    .map(({ width, height }) => ({ width, height, fps: fastest(camera.modes, width, height) }))
    .filter(({ fps }) => fps.length > 0)
    .toSorted((a, b) => a.width * a.height - b.width * b.height);
  const names = [...new Set(camera.modes.map(({ format }) => format))];
  return [
    {
      fourcc: 'YU12',
      description: 'YUV 4:2:0 from the image signal processor',
      compressed: false,
      sizes: processed,
    },
    ...names.map((name) => ({
      fourcc: rawCodes[name] ?? name.slice(0, 4).padEnd(4),
      description: `Raw ${name}`,
      compressed: false,
      sizes: camera.modes
        .filter(({ format }) => format === name)
        .map(({ width, height, maxFps }) => ({ width, height, fps: [maxFps] })),
    })),
  ];
}

function fastest(modes: readonly SensorMode[], width: number, height: number): number[] {
  const rates = modes
    .filter((mode) => mode.width >= width && mode.height >= height)
    .map(({ maxFps }) => maxFps);
  return rates.length === 0 ? [] : [Math.max(...rates)];
}
