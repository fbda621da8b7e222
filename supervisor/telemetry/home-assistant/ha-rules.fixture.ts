/**
 * What Home Assistant 2026.11.0 accepts of MQTT discovery, as far as this appliance uses it. Facts read in
 * homeassistant/components/mqtt (schemas.py, discovery.py, sensor.py, binary_sensor.py, switch.py, select.py, number.py,
 * button.py, camera.py, event.py, image.py, update.py, util.py, const.py), components/{sensor,binary_sensor,button,switch,update} and
 * const.py of that version. For tests. Options that Home Assistant would drop without a word count as errors here.
 */
export const homeAssistantVersion = '2026.11.0';

const everyEntity = [
  'platform',
  'unique_id',
  'default_entity_id',
  'name',
  'icon',
  'entity_category',
  'enabled_by_default',
  'visible_by_default',
  'json_attributes_topic',
  'json_attributes_template',
  'availability',
  'availability_topic',
  'availability_mode',
  'qos',
  'encoding',
] as const;

const reads = ['state_topic', 'value_template'] as const;
const commands = ['command_topic', 'command_template', 'retain'] as const;

/** Options of each platform beside those of every entity; the required ones first. */
export const platformOptions: Readonly<
  Record<string, { readonly required: readonly string[]; readonly optional: readonly string[] }>
> = {
  binary_sensor: {
    required: ['state_topic'],
    optional: [
      ...reads,
      'device_class',
      'payload_on',
      'payload_off',
      'expire_after',
      'force_update',
      'off_delay',
    ],
  },
  button: { required: ['command_topic'], optional: [...commands, 'device_class', 'payload_press'] },
  camera: { required: ['topic'], optional: ['image_encoding'] },
  event: { required: ['state_topic', 'event_types'], optional: ['value_template', 'device_class'] },
  image: { required: ['image_topic'], optional: ['content_type', 'image_encoding'] },
  number: {
    required: ['command_topic'],
    optional: [
      ...reads,
      ...commands,
      'optimistic',
      'device_class',
      'min',
      'max',
      'step',
      'mode',
      'unit_of_measurement',
      'payload_reset',
    ],
  },
  select: { required: ['command_topic', 'options'], optional: [...reads, ...commands, 'optimistic'] },
  sensor: {
    required: ['state_topic'],
    optional: [
      ...reads,
      'device_class',
      'state_class',
      'unit_of_measurement',
      'suggested_display_precision',
      'options',
      'expire_after',
      'force_update',
    ],
  },
  switch: {
    required: ['command_topic'],
    optional: [
      ...reads,
      ...commands,
      'optimistic',
      'device_class',
      'payload_on',
      'payload_off',
      'state_on',
      'state_off',
    ],
  },
  update: {
    required: ['state_topic'],
    optional: [
      ...reads,
      'command_topic',
      'payload_install',
      'device_class',
      'title',
      'release_url',
      'display_precision',
      'retain',
    ],
  },
};

/** Options of every entity. */
export const commonOptions: ReadonlySet<string> = new Set(everyEntity);

/** Options of the document that every component inherits. */
export const sharedOptions = [
  'state_topic',
  'command_topic',
  'availability_topic',
  'qos',
  'encoding',
] as const;

/** Any other key makes Home Assistant refuse the whole document. */
export const documentKeys: ReadonlySet<string> = new Set([
  'device',
  'components',
  'origin',
  'availability',
  'availability_mode',
  'availability_template',
  'payload_available',
  'payload_not_available',
  ...sharedOptions,
]);
/** Keys of the device. */
export const deviceKeys: ReadonlySet<string> = new Set([
  'identifiers',
  'connections',
  'manufacturer',
  'model',
  'model_id',
  'name',
  'hw_version',
  'serial_number',
  'sw_version',
  'via_device',
  'suggested_area',
  'configuration_url',
]);
/** Keys of the origin. */
export const originKeys: ReadonlySet<string> = new Set(['name', 'sw_version', 'support_url']);

/** Device classes without units of their own, by platform; sensors' are below. */
export const deviceClasses: Readonly<Record<string, readonly string[]>> = {
  binary_sensor: [
    'battery',
    'battery_charging',
    'carbon_monoxide',
    'cold',
    'connectivity',
    'door',
    'garage_door',
    'gas',
    'heat',
    'light',
    'lock',
    'moisture',
    'motion',
    'moving',
    'occupancy',
    'opening',
    'plug',
    'power',
    'presence',
    'problem',
    'running',
    'safety',
    'smoke',
    'sound',
    'tamper',
    'update',
    'vibration',
    'window',
  ],
  button: ['identify', 'restart', 'update'],
  event: ['button', 'doorbell', 'motion'],
  switch: ['outlet', 'switch'],
  update: ['firmware'],
};

const dataUnits = ['bit', 'kbit', 'Mbit', 'Gbit', 'B', 'kB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB'];
const allStateClasses = ['measurement', 'total', 'total_increasing'];

/** Units and state classes that belong to a sensor's device class. */
export const sensorClasses: Readonly<
  Record<string, { readonly units: readonly string[]; readonly stateClasses: readonly string[] }>
> = {
  data_rate: {
    units: ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'B/s', 'kB/s', 'MB/s', 'GB/s', 'KiB/s', 'MiB/s', 'GiB/s'],
    stateClasses: ['measurement'],
  },
  data_size: { units: dataUnits, stateClasses: allStateClasses },
  duration: { units: ['d', 'h', 'min', 's', 'ms', 'μs'], stateClasses: allStateClasses },
  temperature: { units: ['°C', '°F', 'K'], stateClasses: ['measurement'] },
  signal_strength: { units: ['dB', 'dBm'], stateClasses: ['measurement'] },
  timestamp: { units: [], stateClasses: [] },
  enum: { units: [], stateClasses: [] },
};
/** All state classes. */
export const stateClasses: readonly string[] = allStateClasses;

/** Keys that the state of an update entity may have; another one makes Home Assistant drop the state. */
export const updateStateKeys: ReadonlySet<string> = new Set([
  'installed_version',
  'latest_version',
  'title',
  'release_summary',
  'release_url',
  'entity_picture',
  'in_progress',
  'update_percentage',
]);

/** Longest state of a sensor without unit. */
export const longestState = 255;
/** What a template renders for JSON's null, and what every platform accepts as "unknown". */
export const unknownState = 'None';
