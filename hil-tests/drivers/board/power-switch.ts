import { connectAsync } from 'mqtt';
import { z } from 'zod';
import { RigError } from '../../lib/errors.ts';
import type { BoardPower } from '../../lib/lab.ts';
import { runTool } from '../../lib/run-tool.ts';
import type { Power } from '../../protocols/power.ts';

const timeoutMs = 15_000;

/** The switch in a board's supply, as the lab describes it. */
export function powerSwitch(settings: BoardPower): Power {
  switch (settings.kind) {
    case 'shelly':
      return shelly(settings.host, settings.channel);
    case 'mqtt':
      return mqttSwitch(settings);
    case 'uhubctl':
      return commands(
        ['uhubctl', '-l', settings.location, '-p', String(settings.port), '-a', 'on'],
        // -r: some hubs need the command more than once before a port really switches off.
        ['uhubctl', '-l', settings.location, '-p', String(settings.port), '-a', 'off', '-r', '5'],
      );
    case 'command':
      return commands(settings.on, settings.off);
  }
}

/** A Shelly plug of the second generation or later, by its HTTP interface (`Switch.Set`), read back by `Switch.GetStatus`. */
function shelly(host: string, channel: number): Power {
  const call = async (method: string, query: string): Promise<unknown> => {
    const url = `http://${host}/rpc/${method}?id=${channel}${query}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
      throw new RigError('RIG_TOOL', `the plug at ${host} does not answer`, { cause });
    });
    if (!response.ok)
      throw new RigError('RIG_TOOL', `the plug at ${host} answered ${response.status} to ${method}`);
    return await response.json();
  };
  const set = async (on: boolean): Promise<void> => {
    await call('Switch.Set', `&on=${on}`);
    const status = z.object({ output: z.boolean() }).parse(await call('Switch.GetStatus', ''));
    if (status.output !== on) throw new RigError('RIG_TOOL', `the plug at ${host} did not switch`);
  };
  return { on: () => set(true), off: () => set(false) };
}

/** Anything that is switched by a message: Tasmota, Zigbee2MQTT, a PoE switch behind Home Assistant. */
function mqttSwitch({ url, topic, on, off }: Extract<BoardPower, { kind: 'mqtt' }>): Power {
  const publish = async (payload: string): Promise<void> => {
    const options = { connectTimeout: timeoutMs, reconnectPeriod: 0 };
    const client = await connectAsync(url, options, false).catch((cause: unknown) => {
      throw new RigError('RIG_TOOL', `the broker at ${url} does not answer`, { cause });
    });
    try {
      await client.publishAsync(topic, payload, { qos: 1 });
    } finally {
      await client.endAsync();
    }
  };
  return { on: () => publish(on), off: () => publish(off) };
}

function commands(on: readonly string[], off: readonly string[]): Power {
  const run = async ([program, ...args]: readonly string[]): Promise<void> => {
    if (program === undefined) throw new RigError('RIG_LAB', 'the lab gives no command for the power');
    await runTool([program, ...args], { timeoutMs });
  };
  return { on: () => run(on), off: () => run(off) };
}
