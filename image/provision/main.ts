import { devicePaths, runTool } from './device.ts';
import { applyToSystem, provision } from './provision.ts';
import { takeResetRequest } from './reset-request.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

async function resetIfAsked(): Promise<void> {
  try {
    if (!(await takeResetRequest(devicePaths.card))) return;
    say('a file on the card asks for a factory reset');
    await runTool('systemctl', '--no-block', 'start', 'rushlight-factory-reset.service');
  } catch (error) {
    say(`cannot check whether a factory reset was requested: ${String(error)}`);
  }
}

// It reports only through the journal and the console.
await resetIfAsked();
const result = await provision(devicePaths);
const failures = await applyToSystem(devicePaths, result);
for (const note of [...result.notes, ...failures]) say(note);
say(`this is ${result.hostname}`);
process.exitCode = failures.length > 0 ? 1 : 0;
