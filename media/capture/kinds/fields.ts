import { z } from 'zod';
import { field, slug } from '../../../common/setting-field.ts';

/** Settings that every source has, whatever makes its video. */
export const sourceFields = {
  id: field(slug(), 'Name of the feed and of the masters. Each source needs its own.', ['pipelines']),
  label: field(z.string().min(1).max(64).optional(), 'Name that people see. Default: the id.'),
  enabled: field(z.boolean().default(true), 'Whether the source runs.', ['pipelines']),
  record: field(z.boolean().default(true), 'Whether a take records this source.'),
};

/** Settings of a source whose live picture is encoded here. */
export const encoderFields = {
  bitrate_kbps: field(
    z.int().min(100).max(100_000).default(6000),
    'Bit rate of the live picture. It does not affect masters.',
    ['pipelines'],
  ),
  keyframe_interval_s: field(
    z.number().min(0.1).max(10).default(1),
    'Seconds from one keyframe of the live picture to the next.',
    ['pipelines'],
  ),
  encoder: field(
    z.enum(['auto', 'hardware', 'software', 'jpeg']).default('auto'),
    'What encodes the live picture. `auto` uses what this board does best and says why; `jpeg` sends pictures instead of video.',
    ['pipelines'],
  ),
  small: field(
    z.enum(['auto', 'on', 'off']).default('auto'),
    'Whether the live picture is also encoded small, for grids and slow links. `auto`: if this board can do it while it records masters.',
    ['pipelines'],
  ),
  small_width: field(
    z.int().min(64).max(1920).multipleOf(2).default(640),
    'Width of the small picture in pixels. Its height follows.',
    ['pipelines'],
  ),
  small_bitrate_kbps: field(z.int().min(50).max(5000).default(300), 'Bit rate of the small picture.', [
    'pipelines',
  ]),
};

/** Settings of a source that is asked for a size and a rate, and encoded here. */
export const encodedFields = {
  width: field(z.int().min(16).max(7680).multipleOf(2).default(1920), 'Width of the picture in pixels.', [
    'pipelines',
  ]),
  height: field(z.int().min(16).max(4320).multipleOf(2).default(1080), 'Height of the picture in pixels.', [
    'pipelines',
  ]),
  fps: field(z.number().min(1).max(240).default(30), 'Frames per second.', ['pipelines']),
  ...encoderFields,
};
