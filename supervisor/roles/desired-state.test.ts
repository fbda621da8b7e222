import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config/parse.ts';
import type { Config } from '../config/schema.ts';
import { desiredState } from './desired-state.ts';
import type { CameraFact } from './facts.ts';

function config(text: string): Config {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(parsed.problems[0].message);
  return parsed.config;
}

function usb(id: string, ...aliases: string[]): CameraFact {
  return { id, kind: 'v4l2', aliases, address: aliases[0] ?? '/dev/video0', label: `Webcam ${id}` };
}

function module(number: number): CameraFact {
  return { id: `csi-${number}`, kind: 'rpicam', aliases: [], address: String(number), label: 'imx708' };
}

function decide(text: string, cameras: CameraFact[] = [], role: 'hub' | 'camera' = 'hub') {
  const state = desiredState(config(text), role, { cameras });
  return {
    ...state,
    runs: state.pipelines.map(({ source, camera }) => `${source.id}:${camera?.id ?? '-'}`),
    waits: state.waiting.map(({ source, reason }) => `${source.id}: ${reason}`),
  };
}

const source = (id: string, kind: string, more = '') =>
  `[[source]]\nid = "${id}"\nkind = "${kind}"\n${more}\n`;

it('a hub pulls remote feeds, a camera does not', () => {
  const text = '[[remote]]\nid = "r"\nkind = "whep"\nurl = "http://other/whep/x"';
  expect(decide(text, [], 'camera').remotes).toEqual([]);
  expect(decide(text, [], 'hub').remotes).toMatchObject([{ id: 'r' }]);
});

describe('sources', () => {
  it('run in either role, and need hardware only if they open some', () => {
    const text = source('t', 'test') + source('r', 'rtsp', 'url = "rtsp://x/y"');
    expect(decide(text, [], 'hub').runs).toEqual(['t:-', 'r:-']);
    expect(decide(text, [], 'camera').runs).toEqual(['t:-', 'r:-']);
  });

  it('wait for missing hardware and name it', () => {
    const text =
      source('m', 'rpicam', 'camera = 1') + source('u', 'v4l2', 'device = "usb-x"') + source('any', 'v4l2');
    expect(decide(text, [module(0)]).waits).toEqual([
      'm: No camera module number 1 was found.',
      'u: usb-x is not plugged in.',
      'any: No USB camera was found.',
    ]);
  });

  it('that name a camera by id or path get it before those that accept any', () => {
    const text = source('any', 'v4l2') + source('named', 'v4l2', 'device = "/dev/video0"');
    const cameras = [usb('first', '/dev/video0'), usb('second', '/dev/video2')];
    expect(decide(text, cameras).runs).toEqual(['any:second', 'named:first']);
    expect(decide(source('x', 'v4l2', 'device = "second"'), cameras).runs[0]).toBe('x:second');
  });

  it('share no camera', () => {
    const text = source('a', 'v4l2', 'device = "one"') + source('b', 'v4l2', 'device = "one"');
    const { runs, waits } = decide(text, [usb('one')]);
    expect(runs).toEqual(['a:one']);
    expect(waits).toEqual(['b: Webcam one is used by the source a.']);
  });

  it('that are switched off run nothing', () => {
    const text = source('off', 'v4l2', 'device = "one"\nenabled = false');
    const state = decide(text, [usb('one')]);
    expect(state).toMatchObject({ runs: [], waits: [], disabled: [{ id: 'off' }] });
  });
});
