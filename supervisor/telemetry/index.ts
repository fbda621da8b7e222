/** The appliance for Prometheus, and the types of what `mqtt.ts` needs of it. */

export type { ApplianceCommands } from './ports.ts';
export { renderMetrics } from './prometheus/metrics.ts';
export type { Telemetry } from './telemetry.ts';
