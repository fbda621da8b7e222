import { describe, expect, it } from 'vitest';
import { type Board, boards } from './boards.ts';
import { chooseEncoder, type EncoderFacts } from './encoder-choice.ts';
import { chooseSmall, type SmallWish } from './small-layer.ts';

const auto: SmallWish = { small: 'auto', smallWidth: 640, smallBitrateKbps: 300 };
const camera: EncoderFacts = { cameraSendsH264: false, width: 1920, height: 1080, fps: 30 };

function choose(facts: Partial<EncoderFacts>, wish: Partial<SmallWish> = {}) {
  const all = { ...camera, ...facts };
  return chooseSmall(all, chooseEncoder(all), { ...auto, ...wish });
}

/** With the encoder that the board has. */
function onBoard(board: Board, facts: Partial<EncoderFacts> = {}) {
  const hardware = boards[board].hardwareH264 ? { hardwareEncoder: '/dev/video11' } : {};
  return choose({ board, ...hardware, ...facts });
}

describe('The small layer', () => {
  it('is made if the board has capacity left while it records masters', () => {
    const made = Object.keys(boards).filter((board) => onBoard(board as Board).layer !== null);
    expect(made).toEqual(['pi4', 'pi5', 'pc']);
    // The processor does the full one here, too.
    expect(onBoard('pi4', { preference: 'software', width: 1280, height: 720 }).layer).not.toBeNull();
    expect(onBoard('pi4', { preference: 'software' }).layer).toBeNull();
  });

  it('has the configured size and bit rate, and at most 30 frames a second', () => {
    const { layer } = choose({ fps: 60 }, { smallWidth: 480, smallBitrateKbps: 200 });
    expect(layer).toEqual({ width: 480, everyNth: 2, fps: 30, bitrateKbps: 200 });
    expect(choose({ fps: 50 }).layer).toMatchObject({ everyNth: 2, fps: 25 });
    expect(choose({ fps: 25 }).layer).toMatchObject({ everyNth: 1, fps: 25 });
  });

  it('is made from a camera\u2019s own H.264 only if the settings ask for it', () => {
    expect(choose({ cameraSendsH264: true }).layer).toBeNull();
    expect(choose({ cameraSendsH264: true }, { small: 'on' }).layer).toMatchObject({ width: 640 });
  });

  it('is not made from JPEG pictures, from a small picture or when switched off', () => {
    expect(choose({ preference: 'jpeg' }, { small: 'on' }).layer).toBeNull();
    expect(choose({ width: 640, height: 360 }, { small: 'on' }).layer).toBeNull();
    expect(choose({}, { small: 'off' }).layer).toBeNull();
  });

  it('always gives its reason', () => {
    for (const small of ['auto', 'on', 'off'] as const) {
      for (const board of Object.keys(boards))
        expect(choose({ board: board as Board }, { small }).reason).toMatch(/\.$/);
    }
  });
});
