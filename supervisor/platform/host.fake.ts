import type { Host, HostIdentity, HostMetrics } from './host.ts';
import type { PowerState } from './proc-metrics.ts';

/** A machine whose figures a test sets. */
export class FakeHost implements Host {
  metrics: HostMetrics = {
    cpuLoadPercent: 12,
    temperatureC: 48.5,
    memoryUsedBytes: 100_000_000,
    memoryTotalBytes: 512_000_000,
    disks: [{ mount: '/data', label: 'data', totalBytes: 32e9, freeBytes: 20e9 }],
    network: [{ name: 'eth0', addresses: ['192.0.2.10'], rxKbps: 10, txKbps: 6000, wifiSignalDbm: null }],
    uptimeS: 3600,
    clockSynced: true,
  };
  powerState: PowerState | null = {
    underVoltageNow: false,
    throttledNow: false,
    underVoltageSinceBoot: false,
    throttledSinceBoot: false,
  };
  identityFacts: HostIdentity = {
    model: 'Raspberry Pi Zero 2 W Rev 1.0',
    serial: '00000000abcd1234',
    id: '0123456789ab',
    cores: 4,
    architecture: 'arm64',
  };

  wearByMount: ReadonlyMap<string, number> = new Map();

  sample(): HostMetrics {
    return this.metrics;
  }

  async lookAtDisks(): Promise<void> {}

  async wear(): Promise<ReadonlyMap<string, number>> {
    return this.wearByMount;
  }

  async power(): Promise<PowerState | null> {
    return this.powerState;
  }

  async identity(): Promise<HostIdentity> {
    return this.identityFacts;
  }
}
