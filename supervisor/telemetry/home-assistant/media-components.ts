import { cameraEvents, takeEvents } from '../events.ts';
import type { AdjustableItem, CameraItem, FeedItem, Inventory, LabelledItem } from '../inventory.ts';
import { statesOf } from '../states.ts';
import {
  binarySensor,
  button,
  type ComponentContext,
  type Entry,
  entity,
  event,
  jsonTemplate,
  path,
  sensor,
  template,
} from './component.ts';

const diagnostic = { category: 'diagnostic' } as const;

/** Takes, tally, feeds, sources, and the cameras of a hub. */
export function mediaComponents(context: ComponentContext, inventory: Inventory): Entry[] {
  return [
    ...recordingComponents(context),
    ...eventComponents(context),
    ...tallyComponents(context),
    ...inventory.feeds.flatMap((feed) => feedComponents(context, feed)),
    ...inventory.sources.flatMap((source) => sourceComponents(context, source)),
    ...inventory.cameras.flatMap((camera) => cameraComponents(context, camera)),
    ...inventory.adjustables.map((item) => adjustableComponent(context, item)),
    ...inventory.outputs.flatMap((output) => outputComponents(context, output)),
  ];
}

function recordingComponents(context: ComponentContext): Entry[] {
  return [
    entity(
      context,
      'switch',
      'recording',
      'Recording',
      { icon: 'mdi:record-rec' },
      {
        state_topic: context.topics.state,
        command_topic: context.topics.command('recording'),
        value_template: template('recording.active'),
        state_on: 'True',
        state_off: 'False',
        json_attributes_topic: context.topics.state,
        json_attributes_template: jsonTemplate('take'),
      },
    ),
    sensor(context, 'take_state', 'Take', 'recording.state', {
      options: statesOf.take,
      icon: 'mdi:movie-open',
    }),
    sensor(context, 'remaining_time', 'Remaining recording time', 'recording.remaining_min', {
      unit: 'min',
      deviceClass: 'duration',
      stateClass: 'measurement',
      precision: 0,
    }),
    binarySensor(context, 'take_refused', 'Recording refused', 'recording.refused', {
      deviceClass: 'problem',
      attributesPath: 'refusal',
    }),
    sensor(context, 'last_take', 'Last take', 'take.take_started_at', {
      deviceClass: 'timestamp',
      attributesPath: 'take',
      icon: 'mdi:filmstrip-box',
    }),
    binarySensor(context, 'take_verified', 'Last take verified', 'recording.last_verified', {
      icon: 'mdi:check-decagram',
    }),
    sensor(context, 'take_dropped_frames', 'Dropped frames of the take', 'recording.dropped_frames', {
      ...diagnostic,
      stateClass: 'measurement',
      icon: 'mdi:filmstrip-off',
    }),
  ];
}

function eventComponents(context: ComponentContext): Entry[] {
  const { topics } = context;
  return [
    event(context, 'take_event', 'Take event', {
      ...{ topic: topics.event('take'), types: takeEvents, icon: 'mdi:movie-open-check' },
    }),
    event(context, 'camera_event', 'Camera event', {
      ...{ topic: topics.event('camera'), types: cameraEvents, icon: 'mdi:video-off' },
    }),
  ];
}

/** Records one camera alone. Off is rejected while the take includes others: it would end for them, too. */
function recordSwitch(
  context: ComponentContext,
  id: string,
  label: string,
  { camera, at }: { readonly camera: string; readonly at: string },
): Entry {
  const { topics } = context;
  return entity(
    context,
    'switch',
    `${id}_record`,
    `${label} record`,
    { icon: 'mdi:record-circle-outline' },
    {
      state_topic: topics.state,
      command_topic: topics.command('recording'),
      value_template: template(at),
      state_on: 'True',
      state_off: 'False',
      payload_on: JSON.stringify({ state: 'ON', cameras: [camera] }),
      payload_off: JSON.stringify({ state: 'OFF', cameras: [camera] }),
    },
  );
}

function tallyComponents(context: ComponentContext): Entry[] {
  const { topics } = context;
  const command = { state_topic: topics.state, command_topic: topics.command('tally') };
  return [
    entity(
      context,
      'switch',
      'tally',
      'On air',
      { icon: 'mdi:alarm-light' },
      {
        ...command,
        value_template: template('tally.on_air'),
        state_on: 'True',
        state_off: 'False',
        payload_on: 'program',
        payload_off: 'off',
      },
    ),
    entity(
      context,
      'select',
      'tally_state',
      'Tally',
      { icon: 'mdi:alarm-light-outline', enabled: false },
      { ...command, value_template: template('tally.state'), options: statesOf.tally },
    ),
  ];
}

function feedComponents(context: ComponentContext, { key, label, isRecordable }: FeedItem): Entry[] {
  const at = (leaf: string) => path('feeds', key, leaf);
  const id = `feed_${key}`;
  const measured = { ...diagnostic, stateClass: 'measurement' } as const;
  return [
    binarySensor(context, `${id}_online`, `${label} online`, at('online'), { deviceClass: 'connectivity' }),
    sensor(context, `${id}_fps`, `${label} frame rate`, at('fps'), {
      ...measured,
      unit: 'fps',
      precision: 1,
      icon: 'mdi:filmstrip',
    }),
    sensor(context, `${id}_bitrate`, `${label} bit rate`, at('bitrate_kbps'), {
      ...measured,
      unit: 'kbit/s',
      deviceClass: 'data_rate',
      precision: 0,
    }),
    sensor(context, `${id}_loss`, `${label} loss`, at('loss_percent'), {
      ...measured,
      unit: '%',
      precision: 1,
      icon: 'mdi:close-network-outline',
    }),
    sensor(context, `${id}_viewers`, `${label} viewers`, at('viewers'), {
      stateClass: 'measurement',
      icon: 'mdi:account-eye',
    }),
    sensor(context, `${id}_latency`, `${label} latency`, at('latency_ms'), {
      ...measured,
      unit: 'ms',
      deviceClass: 'duration',
      precision: 0,
    }),
    encoder(context, id, label, at),
    ...(isRecordable ? [recordSwitch(context, id, label, { camera: key, at: at('recording') })] : []),
    entity(context, 'camera', id, label, {}, { topic: context.topics.snapshot(key) }),
    entity(
      context,
      'image',
      `${id}_snapshot`,
      `${label} snapshot`,
      {},
      { image_topic: context.topics.snapshot(key), content_type: 'image/jpeg' },
    ),
    button(context, `${id}_take_snapshot`, `${label} take snapshot`, 'snapshot', {
      payload: key,
      icon: 'mdi:camera',
    }),
  ];
}

function sourceComponents(context: ComponentContext, { key, label }: LabelledItem): Entry[] {
  const at = (leaf: string) => path('sources', key, leaf);
  const id = `source_${key}`;
  return [
    binarySensor(context, `${id}_running`, `${label} running`, at('running'), { deviceClass: 'running' }),
    sensor(context, `${id}_state`, `${label} state`, at('state'), {
      ...diagnostic,
      options: statesOf.source,
      icon: 'mdi:video',
    }),
    encoder(context, id, label, at),
    recordSwitch(context, id, label, { camera: key, at: at('recording') }),
  ];
}

/** A feed that is sent on to another server; the reason why it is not is among the attributes. */
function outputComponents(context: ComponentContext, { key, label }: LabelledItem): Entry[] {
  const at = (leaf: string) => path('outputs', key, leaf);
  const id = `output_${key}`;
  return [
    binarySensor(context, id, `Output ${label}`, at('connected'), {
      ...diagnostic,
      deviceClass: 'connectivity',
      attributesPath: at('about'),
    }),
    sensor(context, `${id}_bitrate`, `Output ${label} bit rate`, at('bitrate_kbps'), {
      ...diagnostic,
      enabled: false,
      unit: 'kbit/s',
      deviceClass: 'data_rate',
      stateClass: 'measurement',
      precision: 0,
    }),
  ];
}

/** A setting of a source that is changed while it runs. */
function adjustableComponent(context: ComponentContext, item: AdjustableItem): Entry {
  const { topics } = context;
  const { source, id: setting, label, kind } = item;
  const key = `adjust_${item.key}`;
  const options = { category: 'config', icon: 'mdi:tune' } as const;
  const change = (value: string) => `{"source":"${source}","setting":"${setting}","value":${value}}`;
  const common = {
    state_topic: topics.state,
    command_topic: topics.command('adjust'),
    value_template: template(path('adjust', source, setting)),
  };
  switch (kind) {
    case 'number':
      return entity(context, 'number', key, label, options, {
        ...common,
        command_template: change('{{ value }}'),
        min: item.min,
        max: item.max,
        step: item.step,
        mode: 'box',
        ...(item.unit === null ? {} : { unit_of_measurement: item.unit }),
      });
    case 'choice':
      return entity(context, 'select', key, label, options, {
        ...common,
        command_template: change('{{ value | tojson }}'),
        options: item.choices,
      });
    case 'switch':
      return entity(context, 'switch', key, label, options, {
        ...common,
        state_on: 'True',
        state_off: 'False',
        payload_on: change('true'),
        payload_off: change('false'),
      });
  }
}

function encoder(context: ComponentContext, id: string, label: string, at: (leaf: string) => string): Entry {
  return sensor(context, `${id}_encoder`, `${label} encoder`, at('encoder'), {
    ...diagnostic,
    enabled: false,
    icon: 'mdi:chip',
  });
}

function cameraComponents(
  context: ComponentContext,
  { key, label, id: camera, updatable }: CameraItem,
): Entry[] {
  const at = (leaf: string) => path('cameras', key, leaf);
  const id = `camera_${key}`;
  return [
    ...(updatable ? [cameraUpdate(context, id, label, { key, camera })] : []),
    binarySensor(context, `${id}_online`, `Camera ${label} online`, at('online'), {
      deviceClass: 'connectivity',
    }),
    sensor(context, `${id}_take_state`, `Camera ${label} take`, at('recording'), {
      options: statesOf.take,
      icon: 'mdi:movie-open',
    }),
    sensor(context, `${id}_remaining_time`, `Camera ${label} remaining recording time`, at('remaining_min'), {
      unit: 'min',
      deviceClass: 'duration',
      stateClass: 'measurement',
      precision: 0,
    }),
    sensor(context, `${id}_clock_offset`, `Camera ${label} clock offset`, at('clock_offset_ms'), {
      ...diagnostic,
      enabled: false,
      unit: 'ms',
      deviceClass: 'duration',
      stateClass: 'measurement',
      precision: 1,
    }),
  ];
}

/** Installs through the hub, which updates one camera at a time and none during a take. */
function cameraUpdate(
  context: ComponentContext,
  id: string,
  label: string,
  { key, camera }: { readonly key: string; readonly camera: string },
): Entry {
  const { topics } = context;
  const options = { category: 'config', deviceClass: 'firmware' } as const;
  return entity(context, 'update', `${id}_update`, `Camera ${label} firmware`, options, {
    state_topic: topics.cameraUpdate(key),
    command_topic: topics.command('cameraupdate'),
    payload_install: camera,
  });
}
