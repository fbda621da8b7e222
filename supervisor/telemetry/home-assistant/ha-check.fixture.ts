import {
  commonOptions,
  deviceClasses,
  deviceKeys,
  documentKeys,
  longestState,
  originKeys,
  platformOptions,
  sensorClasses,
  sharedOptions,
  stateClasses,
  unknownState,
  updateStateKeys,
} from './ha-rules.fixture.ts';

type Json = Readonly<Record<string, unknown>>;

/** Every rule that a discovery document breaks, in words; empty: Home Assistant accepts all of it. For tests. */
export function findDocumentFaults(document: Json): string[] {
  const faults = [
    ...unknownKeys(document, documentKeys, 'document'),
    ...unknownKeys(object(document.device), deviceKeys, 'device'),
    ...unknownKeys(object(document.origin), originKeys, 'origin'),
  ];
  const { identifiers, name } = object(document.device);
  if (!Array.isArray(identifiers) || identifiers.length === 0) faults.push('device: no identifiers');
  if (typeof object(document.origin).name !== 'string') faults.push('origin: no name');
  const components = Object.entries(componentsOf(document));
  if (components.length === 0) faults.push('no components');
  for (const [key, component] of components) {
    if (!/^[A-Za-z0-9_-]+$/.test(key)) faults.push(`${key}: not a legal key`);
    if (isRemoval(component)) continue;
    faults.push(...findComponentFaults(component, String(name)).map((fault) => `${key}: ${fault}`));
  }
  const ids = components.map(([, component]) => component.unique_id).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) faults.push('unique_id: used twice');
  return faults;
}

/** The components with what they inherit from the document. */
export function componentsOf(document: Json): Record<string, Json> {
  const inherited = Object.fromEntries(
    sharedOptions
      .filter((option) => document[option] !== undefined)
      .map((option) => [option, document[option]]),
  );
  return Object.fromEntries(
    Object.entries(object(document.components)).map(([key, component]) => {
      const own = object(component);
      return [key, isRemoval(own) ? own : { ...inherited, ...own }];
    }),
  );
}

/** Whether a component only marks a removal. */
export function isRemoval(component: Json): boolean {
  return Object.keys(component).join() === 'platform';
}

function findComponentFaults(component: Json, deviceName: string): string[] {
  const platform = String(component.platform);
  const rules = platformOptions[platform];
  if (rules === undefined) return [`unknown platform ${platform}`];
  const faults: string[] = [];
  const own = new Set([...commonOptions, ...rules.required, ...rules.optional, ...sharedOptions]);
  faults.push(...unknownKeys(component, own, 'option'));
  for (const option of [...rules.required, 'unique_id', 'name']) {
    if (component[option] === undefined) faults.push(`${option} is missing`);
  }
  const { entity_category: category, name, icon, default_entity_id: entityId } = component;
  const categories = /sensor$/.test(platform) ? ['diagnostic'] : ['diagnostic', 'config'];
  if (category !== undefined && !categories.includes(String(category)))
    faults.push(`illegal category ${category}`);
  if (String(name).toLowerCase().startsWith(deviceName.toLowerCase())) faults.push('name repeats the device');
  if (icon !== undefined && !/^mdi:[a-z0-9-]+$/.test(String(icon))) faults.push(`illegal icon ${icon}`);
  if (!new RegExp(`^${platform}\\.[a-z0-9]+(_[a-z0-9]+)*$`).test(String(entityId))) {
    faults.push(`illegal entity id ${entityId}`);
  }
  for (const [option, value] of Object.entries(component)) {
    if (option.endsWith('topic') && /[+#\s]|\p{Cc}/u.test(String(value))) faults.push(`illegal ${option}`);
    if (option === 'command_template') faults.push(...findCommandTemplateFaults(String(value)));
    else if (option.endsWith('template')) faults.push(...findTemplateFaults(String(value)));
  }
  return [
    ...faults,
    ...(platform === 'sensor' ? findSensorFaults(component) : findClassFaults(component, platform)),
  ];
}

function findClassFaults(component: Json, platform: string): string[] {
  const { device_class: deviceClass, options } = component;
  const faults: string[] = [];
  if (deviceClass !== undefined && !deviceClasses[platform]?.includes(String(deviceClass))) {
    faults.push(`illegal device class ${deviceClass}`);
  }
  if (platform === 'event' && !(Array.isArray(component.event_types) && component.event_types.length > 0)) {
    faults.push('no event types');
  }
  if (platform === 'number') faults.push(...findRangeFaults(component));
  if (platform === 'select' && !(Array.isArray(options) && options.length > 0)) faults.push('no options');
  return faults;
}

function findSensorFaults(component: Json): string[] {
  const {
    device_class: deviceClass,
    unit_of_measurement: unit,
    state_class: stateClass,
    options,
  } = component;
  const faults: string[] = [];
  if (stateClass !== undefined && !stateClasses.includes(String(stateClass)))
    faults.push('illegal state class');
  if (options !== undefined && deviceClass !== 'enum') faults.push('options without the class enum');
  if (deviceClass === 'enum' && !(Array.isArray(options) && options.length > 0))
    faults.push('enum without options');
  if (deviceClass === undefined) return faults;
  const rules = sensorClasses[String(deviceClass)];
  if (rules === undefined) return [...faults, `illegal device class ${deviceClass}`];
  const unitFits = rules.units.length === 0 ? unit === undefined : rules.units.includes(String(unit));
  if (!unitFits) faults.push(`unit ${unit} does not go with ${deviceClass}`);
  if (stateClass !== undefined && !rules.stateClasses.includes(String(stateClass))) {
    faults.push(`state class ${stateClass} does not go with ${deviceClass}`);
  }
  return faults;
}

/** Home Assistant refuses a number whose range is empty, or whose step or mode it does not know. */
function findRangeFaults({ min = 1, max = 100, step = 1, mode = 'auto' }: Json): string[] {
  const faults: string[] = [];
  if (typeof min !== 'number' || typeof max !== 'number' || min >= max)
    faults.push(`illegal range ${min} to ${max}`);
  if (typeof step !== 'number' || step < 0.001) faults.push(`illegal step ${step}`);
  if (!['auto', 'box', 'slider'].includes(String(mode))) faults.push(`illegal mode ${mode}`);
  return faults;
}

/** JSON with one place for the value, which text needs quotes for. */
function findCommandTemplateFaults(template: string): string[] {
  try {
    JSON.parse(fillCommand(template, 'a "b"'));
    return [];
  } catch {
    return [`command template of another form: ${template}`];
  }
}

/** What Home Assistant sends for a value. */
export function fillCommand(template: string, value: unknown): string {
  const text = template.replace('{{ value | tojson }}', () => JSON.stringify(value));
  return text.replace('{{ value }}', () => (typeof value === 'number' ? String(value) : '0'));
}

/**
 * The only templates used: one value, read with brackets, each step but the first with a default. Attribute access finds
 * methods of Python's dict, and a missing step without a default logs an error at every state.
 */
const templatePattern =
  /^\{\{ (\(*)value_json\['([^'\\\]]+)'\]((?:(?: \| default\(\{\}\)\))?\['[^'\\\]]+'\])*) \| default\((?:none|\{\})\)( \| tojson)? \}\}$/;

function findTemplateFaults(template: string): string[] {
  const [, opened, , steps = ''] = templatePattern.exec(template) ?? [];
  if (opened === undefined) return [`template of another form: ${template}`];
  const closed = steps.match(/\)\[/g)?.length ?? 0;
  return opened.length === closed ? [] : [`unbalanced template: ${template}`];
}

/** What Jinja renders: Python's words for JSON's true, false and null. Undefined if the path does not exist. */
export function render(template: string, state: unknown): string | undefined {
  const [, , first = '', steps = '', filter] = templatePattern.exec(template) ?? [];
  let value = state;
  for (const key of [first, ...[...steps.matchAll(/\['([^']+)'\]/g)].map(([, step = '']) => step)]) {
    if (value === null) return unknownState;
    if (typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Json)[key];
  }
  if (filter !== undefined) return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value === null ? unknownState : String(value);
}

/** Why a published payload is not a valid state of an entity; null if it is one. */
export function findStateFault(component: Json, payload: string): string | null {
  if (component.platform === 'update') return findUpdateFault(payload);
  if (component.platform === 'event') return findEventFault(component, payload);
  const attributes = component.json_attributes_template;
  if (attributes !== undefined) {
    const rendered = render(String(attributes), JSON.parse(payload));
    if (rendered === undefined || !rendered.startsWith('{')) return `attributes are no object: ${rendered}`;
  }
  const state = render(String(component.value_template), JSON.parse(payload));
  if (state === undefined) return `nothing at ${component.value_template}`;
  if (state === unknownState) return null;
  switch (component.platform) {
    case 'binary_sensor':
      return oneOf(state, [component.payload_on ?? 'ON', component.payload_off ?? 'OFF']);
    case 'switch':
      return oneOf(state, [
        component.state_on ?? component.payload_on ?? 'ON',
        component.state_off ?? component.payload_off ?? 'OFF',
      ]);
    case 'number': {
      const [min, max] = [Number(component.min), Number(component.max)];
      return Number(state) >= min && Number(state) <= max ? null : `${state} is out of range`;
    }
    case 'select':
      return oneOf(state, component.options as unknown[]);
    default:
      return findSensorStateFault(component, state);
  }
}

function findSensorStateFault(component: Json, state: string): string | null {
  const { device_class: deviceClass, unit_of_measurement: unit, state_class: stateClass } = component;
  if (deviceClass === 'enum') return oneOf(state, component.options as unknown[]);
  if (deviceClass === 'timestamp') return Number.isNaN(Date.parse(state)) ? `${state} is no instant` : null;
  if (unit !== undefined || stateClass !== undefined) {
    return state !== '' && Number.isFinite(Number(state)) ? null : `${state} is no number`;
  }
  return state.length <= longestState ? null : 'too long';
}

/** Home Assistant drops an event of a type that was not announced. */
function findEventFault({ event_types: types }: Json, payload: string): string | null {
  const { event_type: type } = object(JSON.parse(payload));
  return oneOf(String(type), types as unknown[]);
}

function findUpdateFault(payload: string): string | null {
  const state = object(JSON.parse(payload));
  const [unknown] = unknownKeys(state, updateStateKeys, 'update state');
  if (unknown !== undefined) return unknown;
  const { in_progress: busy, update_percentage: percentage, ...texts } = state;
  const wrong = Object.entries(texts).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) return `${wrong[0]} is no text`;
  if (typeof busy !== 'boolean') return 'in_progress is no truth value';
  const legal =
    percentage === null || (typeof percentage === 'number' && percentage >= 0 && percentage <= 100);
  return legal ? null : `illegal percentage ${percentage}`;
}

function oneOf(state: string, legal: readonly unknown[]): string | null {
  return legal.includes(state) ? null : `${state} is none of ${legal.join(', ')}`;
}

function unknownKeys(value: Json, known: ReadonlySet<string>, where: string): string[] {
  return Object.keys(value)
    .filter((key) => !known.has(key))
    .map((key) => `${where}: unknown key ${key}`);
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
