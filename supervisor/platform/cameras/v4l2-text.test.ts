import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCameraList } from './rpicam-text.ts';
import { parseControls } from './v4l2-controls.ts';
import { parseFormats } from './v4l2-formats.ts';
import { parseInfo } from './v4l2-info.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,30}$/);

describe('parseControls', () => {
  const control = fc.record({
    id: name,
    min: fc.integer(),
    max: fc.integer(),
    step: fc.nat({ max: 1000 }),
    value: fc.integer(),
    inactive: fc.boolean(),
    withCode: fc.boolean(),
  });

  test('reads every integer control from old and new versions of v4l2-ctl', () => {
    fc.assert(
      fc.property(fc.uniqueArray(control, { selector: ({ id }) => id }), (controls) => {
        const text = controls.map(
          ({ id, min, max, step, value, inactive, withCode }) =>
            `${id.padStart(31)}${withCode ? ' 0x0098091a' : ''} (int)    : min=${min} max=${max} step=${step} default=${min} value=${value}${inactive ? ' flags=inactive, slider' : ''}`,
        );
        expect(parseControls(`\nUser Controls\n\n${text.join('\n')}\n`)).toMatchObject(
          controls.map(({ id, min, max, step, value, inactive }) => ({
            id,
            kind: 'integer',
            min,
            max,
            step,
            default: min,
            value,
            inactive,
          })),
        );
      }),
    );
  });

  test('reads menus with any label', () => {
    const label = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 .:-]{0,20}[A-Za-z]$/);
    fc.assert(
      fc.property(name, fc.array(label, { minLength: 1 }), (id, labels) => {
        const items = labels.map((text, index) => `\t\t\t\t${index}: ${text}`).join('\n');
        const text = `${id} 0x00980918 (menu)   : min=0 max=9 default=0 value=0 (x)\n${items}\n`;
        expect(parseControls(text)[0]?.menu).toEqual(labels.map((item, value) => ({ value, label: item })));
      }),
    );
  });

  test('lists a control once that is printed twice', () => {
    const line = '  gain 0x00980913 (int)    : min=0 max=255 step=1 default=0 value=0';
    expect(parseControls(`${line}\n\n${line}\n`)).toHaveLength(1);
  });
});

describe('parseFormats', () => {
  test('reads discrete sizes and rates', () => {
    const size = fc.record({
      width: fc.integer({ min: 16, max: 8000 }),
      height: fc.integer({ min: 16, max: 8000 }),
      fps: fc.uniqueArray(fc.integer({ min: 1, max: 240 }), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z0-9]{4}$/), fc.array(size, { maxLength: 8 }), (fourcc, sizes) => {
        const lines = sizes.flatMap(({ width, height, fps }) => [
          `\t\tSize: Discrete ${width}x${height}`,
          ...fps.map((rate) => `\t\t\tInterval: Discrete ${(1 / rate).toFixed(3)}s (${rate.toFixed(3)} fps)`),
        ]);
        const text = `ioctl: VIDIOC_ENUM_FMT\n\tType: Video Capture\n\n\t[0]: '${fourcc}' (Some format, compressed)\n${lines.join('\n')}\n`;
        expect(parseFormats(text)).toEqual([{ fourcc, description: 'Some format', compressed: true, sizes }]);
      }),
    );
  });

  test('offers the usual sizes within a range and the usual rates within an interval', () => {
    const text = `\tType: Video Capture Multiplanar

\t[0]: 'YU12' (Planar YUV 4:2:0)
\t\tSize: Stepwise 32x32 - 1920x1080 with step 32/2
\t\t\tInterval: Continuous 0.017s - 0.200s
`;
    expect(parseFormats(text)[0]?.sizes).toEqual([
      { width: 320, height: 240, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 640, height: 360, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 640, height: 480, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 1024, height: 576, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 1280, height: 720, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 1280, height: 960, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
      { width: 1920, height: 1080, fps: [5, 10, 15, 20, 24, 25, 30, 50, 60] },
    ]);
  });

  test('omits unsupported formats', () => {
    expect(parseFormats("\tType: Video Output\n\n\t[0]: 'YUYV' (YUYV 4:2:2)\n")).toEqual([]);
  });
});

describe('parseCameraList', () => {
  test('omits a USB camera whose name has spaces, with its modes', () => {
    const text = [
      'Available cameras',
      '0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)',
      "    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]",
      '1 : H264 USB Camera: USB Camera [1920x1080] (/base/soc/usb@7e980000/usb1@1-1.2:1.0-32e4:9422)',
      "    Modes: 'MJPEG' : 320x240 [30.00 fps - (0, 0)/65535x65535 crop]",
    ].join('\n');
    expect(parseCameraList(text)).toMatchObject([{ index: 0, model: 'imx708', modes: [{ width: 1536 }] }]);
  });

  test('reads the lists of older versions, without bit depth and crop', () => {
    const text = `Available cameras
-----------------
0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)
    Modes: 'SRGGB10_CSI2P' : 1332x990 (120.00 fps)
           'SRGGB12_CSI2P' : 2028x1080 (50.00 fps), 2028x1520 (40.00 fps), 4056x3040 (10.00 fps)
`;
    expect(parseCameraList(text)).toMatchObject([
      {
        index: 0,
        model: 'imx477',
        modes: [
          { format: 'SRGGB10_CSI2P', width: 1332, height: 990, maxFps: 120 },
          { format: 'SRGGB12_CSI2P', width: 2028, height: 1080, maxFps: 50 },
          { format: 'SRGGB12_CSI2P', width: 2028, height: 1520, maxFps: 40 },
          { format: 'SRGGB12_CSI2P', width: 4056, height: 3040, maxFps: 10 },
        ],
      },
    ]);
  });

  test('does not mistake log lines for cameras', () => {
    const text =
      '[0:24:11.415660787] [10635]  INFO Camera camera_manager.cpp:326 libcamera v0.5.0\nNo cameras available!\n';
    expect(parseCameraList(text)).toEqual([]);
  });
});

test('no parser throws, whatever a program prints', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'Driver Info:',
      '\tDriver name      : x',
      '\tDevice Caps      : 0x04200001',
      "\t[0]: 'MJPG' (Motion-JPEG, compressed)",
      '\t\tSize: Stepwise 1x1 - 0x0 with step 0/0',
      '\t\t\tInterval: Discrete 0.000s (0.000 fps)',
      'gain 0x00980913 (int) : min= max=x step=0x value=--1',
      '\t\t\t\t0: x',
      '0 : imx708 [0x0] (/base/imx708@1a)',
    ),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join('\n');
      parseInfo(text);
      parseControls(text);
      for (const { sizes } of parseFormats(text)) {
        for (const { fps } of sizes)
          expect(fps.every((rate) => Number.isFinite(rate) && rate > 0)).toBe(true);
      }
      parseCameraList(text);
    }),
  );
});
