import type { DiskItem, Inventory, NetworkItem } from '../inventory.ts';
import { binarySensor, type ComponentContext, type Entry, path, sensor } from './component.ts';

const diagnostic = { category: 'diagnostic' } as const;
const measured = { ...diagnostic, stateClass: 'measurement' } as const;
const hidden = { enabled: false } as const;

/** The machine itself: load, heat, power, memory, disks, network, clock. */
export function hostComponents(context: ComponentContext, inventory: Inventory): Entry[] {
  return [
    sensor(context, 'cpu_load', 'CPU load', 'host.cpu_load_percent', {
      ...measured,
      unit: '%',
      icon: 'mdi:cpu-64-bit',
    }),
    sensor(context, 'temperature', 'CPU temperature', 'host.temperature_c', {
      ...measured,
      unit: '°C',
      deviceClass: 'temperature',
      precision: 0,
    }),
    sensor(context, 'memory_used', 'Memory used', 'host.memory_used_percent', {
      ...measured,
      unit: '%',
      icon: 'mdi:memory',
    }),
    sensor(context, 'last_boot', 'Last boot', 'host.booted_at', { ...diagnostic, deviceClass: 'timestamp' }),
    sensor(context, 'last_start', 'Last start', 'host.started_at', {
      ...diagnostic,
      ...hidden,
      deviceClass: 'timestamp',
    }),
    sensor(context, 'clock_offset', 'Clock offset', 'host.clock_offset_ms', {
      ...measured,
      ...hidden,
      unit: 'ms',
      deviceClass: 'duration',
      precision: 1,
    }),
    binarySensor(context, 'clock_synced', 'Clock synchronised', 'host.clock_synced', {
      ...diagnostic,
      ...hidden,
      icon: 'mdi:clock-check',
    }),
    ...(inventory.hasPower ? powerComponents(context) : []),
    ...inventory.disks.flatMap((disk) => diskComponents(context, disk)),
    ...inventory.networks.flatMap((network) => networkComponents(context, network)),
  ];
}

function powerComponents(context: ComponentContext): Entry[] {
  const problem = { ...diagnostic, deviceClass: 'problem', attributesPath: 'host.power' } as const;
  return [
    binarySensor(context, 'under_voltage', 'Under-voltage', 'host.power.under_voltage', problem),
    binarySensor(context, 'throttled', 'Throttled', 'host.power.throttled', problem),
  ];
}

function diskComponents(context: ComponentContext, { key, label, hasWear }: DiskItem): Entry[] {
  const at = (leaf: string) => path('host', 'disks', key, leaf);
  const entries = [
    sensor(context, `disk_${key}_free`, `Disk ${label} free`, at('free_gb'), {
      ...measured,
      unit: 'GB',
      deviceClass: 'data_size',
      precision: 1,
    }),
    sensor(context, `disk_${key}_used`, `Disk ${label} used`, at('used_percent'), {
      ...measured,
      ...hidden,
      unit: '%',
      icon: 'mdi:harddisk',
    }),
  ];
  if (!hasWear) return entries;
  return [
    ...entries,
    sensor(context, `disk_${key}_wear`, `Disk ${label} wear`, at('wear_percent'), {
      ...measured,
      unit: '%',
      icon: 'mdi:harddisk',
    }),
  ];
}

function networkComponents(context: ComponentContext, { key, label, hasWifi }: NetworkItem): Entry[] {
  const at = (leaf: string) => path('host', 'network', key, leaf);
  const rate = { ...measured, ...hidden, unit: 'kbit/s', deviceClass: 'data_rate', precision: 0 } as const;
  const entries = [
    sensor(context, `network_${key}_received`, `Network ${label} received`, at('rx_kbps'), rate),
    sensor(context, `network_${key}_sent`, `Network ${label} sent`, at('tx_kbps'), rate),
  ];
  if (!hasWifi) return entries;
  return [
    ...entries,
    sensor(context, `network_${key}_signal`, `Wi-Fi signal ${label}`, at('wifi_signal_dbm'), {
      ...measured,
      unit: 'dBm',
      deviceClass: 'signal_strength',
      precision: 0,
    }),
  ];
}
