import { join } from 'node:path';
import { keepReachable } from './access-point.ts';
import { devicePaths, readOptional } from './device.ts';
import { accessPointSettings } from './network-settings.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const hostname = ((await readOptional('/proc/sys/kernel/hostname')) ?? 'rushlight').trim();
const toml = (await readOptional(join(devicePaths.card, 'rushlight.toml'))) ?? '';
const settings = accessPointSettings(toml, hostname);
if (settings.enabled) await keepReachable(settings, stop.signal);
