import { devicePaths } from './device.ts';
import { applyToSystem, provision } from './provision.ts';

// Its output is the journal and the console; it has no other voice.
const result = await provision(devicePaths);
const failures = await applyToSystem(devicePaths, result);
for (const note of [...result.notes, ...failures]) process.stdout.write(`${note}\n`);
process.stdout.write(`this is ${result.hostname}\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
