import { keyOf } from '../item-keys.ts';
import type { Topics } from '../topics.ts';

/** The platforms of Home Assistant that this appliance uses. */
export type Platform =
  | 'binary_sensor'
  | 'button'
  | 'camera'
  | 'event'
  | 'image'
  | 'number'
  | 'select'
  | 'sensor'
  | 'switch'
  | 'update';

/** One entity in a device-based discovery document; with only `platform` it says that the entity is gone. */
export interface Component {
  readonly platform: Platform;
  readonly [option: string]: unknown;
}

/** Entities by their key. */
export type Components = Readonly<Record<string, Component>>;

/** What the builders need to know about the appliance. */
export interface ComponentContext {
  readonly topics: Topics;
  /** Name of the appliance, from which entity ids are made: `sensor.stage_left_cpu_load`. */
  readonly objectName: string;
  /** Seconds without news after which a figure counts as unknown; more than the heartbeat. */
  readonly expireAfterS: number;
}

/** Options of an entity besides those that every entity has. */
export interface EntityOptions {
  readonly category?: 'diagnostic' | 'config';
  readonly deviceClass?: string;
  readonly icon?: string;
  /** Whether Home Assistant shows it at once; default true. */
  readonly enabled?: boolean;
}

/** Options of a sensor. */
export interface SensorOptions extends EntityOptions {
  readonly unit?: string;
  readonly stateClass?: 'measurement' | 'total_increasing';
  readonly precision?: number;
  /** Every value an enum sensor may have. */
  readonly options?: readonly string[];
  readonly attributesPath?: string;
}

/** A key and its entity, for `Object.fromEntries`. */
export type Entry = readonly [key: string, component: Component];

/** A figure or word that is read from the state; `path` is the JSON path below it. */
export function sensor(
  context: ComponentContext,
  key: string,
  name: string,
  path: string,
  options: SensorOptions = {},
): Entry {
  return entity(context, 'sensor', key, name, options, {
    value_template: template(path),
    expire_after: context.expireAfterS,
    ...defined('unit_of_measurement', options.unit),
    ...defined('state_class', options.stateClass),
    ...defined('suggested_display_precision', options.precision),
    ...(options.options === undefined ? {} : { device_class: 'enum', options: options.options }),
    ...attributes(context, options.attributesPath),
  });
}

/** A truth value that is read from the state. Home Assistant renders JSON's true and false as Python words. */
export function binarySensor(
  context: ComponentContext,
  key: string,
  name: string,
  path: string,
  options: EntityOptions & { readonly attributesPath?: string } = {},
): Entry {
  const { attributesPath } = options;
  return entity(context, 'binary_sensor', key, name, options, {
    value_template: template(path),
    payload_on: 'True',
    payload_off: 'False',
    expire_after: context.expireAfterS,
    ...attributes(context, attributesPath),
  });
}

/** Something that happens; the attributes say what. */
export function event(
  context: ComponentContext,
  key: string,
  name: string,
  {
    topic,
    types,
    icon,
  }: { readonly topic: string; readonly types: readonly string[]; readonly icon: string },
): Entry {
  return entity(context, 'event', key, name, { icon }, { state_topic: topic, event_types: types });
}

/** A button that publishes a command. */
export function button(
  context: ComponentContext,
  key: string,
  name: string,
  command: string,
  options: EntityOptions & { readonly payload?: string } = {},
): Entry {
  return entity(context, 'button', key, name, options, {
    command_topic: context.topics.command(command),
    payload_press: options.payload ?? 'PRESS',
  });
}

/** An entity with what every entity has. */
export function entity(
  context: ComponentContext,
  platform: Platform,
  key: string,
  name: string,
  options: EntityOptions,
  rest: Readonly<Record<string, unknown>>,
): Entry {
  const component: Component = {
    platform,
    unique_id: `rushlight_${context.topics.device}_${key}`,
    default_entity_id: `${platform}.${context.objectName}_${keyOf(key)}`,
    name,
    ...defined('device_class', options.deviceClass),
    ...defined('entity_category', options.category),
    ...defined('icon', options.icon),
    ...(options.enabled === false ? { enabled_by_default: false } : {}),
    ...rest,
  };
  return [key, component];
}

/** Path below the state, such as `feeds.cam-0.fps`. Keys have no dots: they are ids, slugs and our own words. */
export function path(...keys: readonly string[]): string {
  return keys.join('.');
}

/**
 * Reads one value; a missing one is unknown, such as a feed that is gone for a while. Only with brackets: in
 * `value_json.update` Jinja finds the method of Python's dict before the key.
 */
export function template(jsonPath: string): string {
  return `{{ ${lookup(jsonPath)} | default(none) }}`;
}

/** A Jinja template that reads one value as JSON. */
export function jsonTemplate(jsonPath: string): string {
  return `{{ ${lookup(jsonPath)} | default({}) | tojson }}`;
}

/** Every step but the last may be missing, and then gives an empty object. */
function lookup(jsonPath: string): string {
  return jsonPath
    .split('.')
    .reduce(
      (found, key, index) => `${index < 2 ? found : `(${found} | default({}))`}['${key}']`,
      'value_json',
    );
}

function attributes(context: ComponentContext, jsonPath: string | undefined) {
  if (jsonPath === undefined) return {};
  return { json_attributes_topic: context.topics.state, json_attributes_template: jsonTemplate(jsonPath) };
}

function defined(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [key]: value };
}
