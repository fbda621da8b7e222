import type { Status } from '../../supervisor/contract/index.ts';
import { TestLan } from '../../supervisor/testing/netns.ts';
import { apiPort, Machine } from './machine.ts';

/** Address of the hub. */
export const hubAddress = '10.77.0.1';

const http = (tls: boolean) =>
  `[http]\nlisten = ["0.0.0.0"]\nport = ${apiPort}\ntls = ${tls}\ntls_port = 8443\n`;

/** rushlight.toml of a hub named `stage`. */
export const hubSettings = (tls: boolean) =>
  `role = "hub"\nname = "stage"\n${http(tls)}[devices]\nadopt = "ask"\n`;

/** rushlight.toml of a camera named `left`, whose one source `cam0` is a small test picture. */
export const cameraSettings = (tls: boolean, hub = 'auto') => `role = "camera"
name = "left"
${http(tls)}[camera]
hub = "${hub}"
[devices]
adopt = "ask"
[masters]
strategy = "direct"
[[source]]
id = "cam0"
kind = "test"
width = 320
height = 180
fps = 25
`;

/** The machine's `GET /api/status`. */
export const statusOf = (machine: Machine): Promise<Status> => machine.ask<Status>('GET', '/api/status');

/** A hub and a camera on a network of their own, neither of them started. All of it is gone after disposal. */
export interface TwoMachines extends AsyncDisposable {
  readonly lan: TestLan;
  readonly hub: Machine;
  readonly camera: Machine;
}

/** Makes them. */
export async function openTwoMachines(): Promise<TwoMachines> {
  const stack = new AsyncDisposableStack();
  const lan = stack.use(await new TestLan().open());
  const hub = stack.use(new Machine(await lan.addHost('hub', `${hubAddress}/24`)));
  const camera = stack.use(new Machine(await lan.addHost('camera', '10.77.0.2/24')));
  return { lan, hub, camera, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
