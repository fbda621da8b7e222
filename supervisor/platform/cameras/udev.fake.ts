import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CameraEdge } from './camera-edge.ts';

/** Replaces udevadm: prints its greeting, then each line of a file as it grows. */
const udevadm = (stream: string): string => `#!/bin/sh
echo 'monitor will print the received events for:'
echo 'UDEV - the event which udev sends out after rule processing'
echo
exec tail -n 0 -f "${stream}"
`;
const eventLine = 'UDEV  [34483.779310] add      /devices/x/video4linux/video0 (video4linux)\n';

/** A udev of its own in a folder; `event` reports that something was plugged in or pulled. */
export async function fakeUdev(
  folder: string,
): Promise<{ hotplug: NonNullable<CameraEdge['hotplug']>; event(): Promise<void> }> {
  const program = join(folder, 'udevadm');
  const stream = join(folder, 'events');
  await writeFile(program, udevadm(stream));
  await chmod(program, 0o755);
  await writeFile(stream, '');
  return {
    hotplug: { udevadm: program, udevSocket: stream },
    event: () => writeFile(stream, eventLine, { flag: 'a' }),
  };
}
