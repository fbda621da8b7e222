import { refusalEvents } from '../events.ts';
import type { Inventory } from '../inventory.ts';
import { statesOf } from '../states.ts';
import {
  binarySensor,
  button,
  type ComponentContext,
  type Entry,
  entity,
  event,
  jsonTemplate,
  sensor,
  template,
} from './component.ts';

const diagnostic = { category: 'diagnostic' } as const;
const config = { category: 'config' } as const;

/** Role, buttons, updates, and health. */
export function systemComponents(context: ComponentContext, inventory: Inventory): Entry[] {
  return [
    entity(
      context,
      'select',
      'role',
      'Role',
      { ...config, icon: 'mdi:swap-horizontal' },
      roleOptions(context),
    ),
    sensor(context, 'role_now', 'Role in force', 'role', { ...diagnostic, options: statesOf.role }),
    binarySensor(context, 'health', 'Health', 'health.problem', {
      ...diagnostic,
      deviceClass: 'problem',
      attributesPath: 'health',
    }),
    binarySensor(context, 'config_error', 'Config error', 'config.error', {
      ...diagnostic,
      deviceClass: 'problem',
      attributesPath: 'config',
    }),
    event(context, 'refusal', 'Refusal', {
      topic: context.topics.event('refusal'),
      types: refusalEvents,
      icon: 'mdi:cancel',
    }),
    inventory.role === 'camera' ? hubLink(context) : camerasWaiting(context),
    button(context, 'identify', 'Identify', 'identify', { ...config, deviceClass: 'identify' }),
    button(context, 'restart', 'Restart', 'restart', { ...config, deviceClass: 'restart' }),
    button(context, 'shutdown', 'Shut down', 'shutdown', { ...config, icon: 'mdi:power' }),
    ...updateComponents(context, inventory),
    ...rolloutComponents(context, inventory),
  ];
}

function roleOptions({ topics }: ComponentContext) {
  return {
    state_topic: topics.state,
    command_topic: topics.command('role'),
    value_template: template('role_setting'),
    options: statesOf.roleSetting,
  };
}

function hubLink(context: ComponentContext): Entry {
  return sensor(context, 'hub_link', 'Hub link', 'hub.state', {
    ...diagnostic,
    options: statesOf.hubLink,
    icon: 'mdi:access-point-network',
  });
}

/** Cameras that ask for adoption. */
function camerasWaiting(context: ComponentContext): Entry {
  return sensor(context, 'cameras_waiting', 'Cameras to adopt', 'cameras_waiting', {
    ...diagnostic,
    stateClass: 'measurement',
    icon: 'mdi:camera-plus',
  });
}

function updateComponents(context: ComponentContext, { updatable }: Inventory): Entry[] {
  const { topics } = context;
  const update = entity(
    context,
    'update',
    'update',
    'Firmware',
    { ...config, deviceClass: 'firmware' },
    {
      state_topic: topics.updateState,
      json_attributes_topic: topics.state,
      json_attributes_template: jsonTemplate('update'),
      ...(updatable ? { command_topic: topics.command('update'), payload_install: 'install' } : {}),
    },
  );
  if (!updatable) return [update];
  return [
    update,
    sensor(context, 'update_state', 'Update state', 'update.state', {
      ...diagnostic,
      options: statesOf.update,
      icon: 'mdi:update',
    }),
    sensor(context, 'update_outcome', 'Last update', 'update.last_outcome', {
      ...diagnostic,
      options: statesOf.updateOutcome,
      icon: 'mdi:history',
    }),
    button(context, 'rollback', 'Roll back', 'rollback', {
      ...config,
      enabled: false,
      icon: 'mdi:backup-restore',
    }),
  ];
}

/** The progress of a hub that updates its cameras. */
function rolloutComponents(context: ComponentContext, { role, updatable, cameras }: Inventory): Entry[] {
  if (role !== 'hub' || !updatable || !cameras.some((camera) => camera.updatable)) return [];
  return [
    sensor(context, 'rollout', 'Rollout', 'rollout.phase', {
      ...diagnostic,
      options: statesOf.rollout,
      icon: 'mdi:rocket-launch',
    }),
    sensor(context, 'rollout_reason', 'Rollout waits for', 'rollout.reason', {
      ...diagnostic,
      icon: 'mdi:timer-sand',
    }),
    button(context, 'rollout_start', 'Update cameras and hub', 'rollout', {
      ...config,
      payload: 'start',
      icon: 'mdi:update',
    }),
  ];
}
