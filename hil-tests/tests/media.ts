import assert from 'node:assert/strict';
import { cameraSource, cardConfig, writeConfigCommand } from '../lib/config.ts';
import type { TestCase, TestContext } from '../lib/test-case.ts';
import { waitFor } from '../lib/wait.ts';
import { WhepViewer } from '../lib/whep-viewer.ts';

/** Waits until the device has the feed online. */
export async function feedOnline({ api, rig, signal }: TestContext, feed: string): Promise<void> {
  await waitFor(
    `feed ${feed} is online`,
    async () => (await api.json('listFeeds')).some((one) => one.id === feed && one.state === 'online'),
    { timeoutMs: 30_000 * rig.slowness, signal },
  );
}

/** Views a feed; see {@link WhepViewer}. */
export async function view(context: TestContext, feed: string): Promise<WhepViewer> {
  const { api, rig } = context;
  const token = (await rig.network.shell('cat /data/rushlight/owner-token')).trim();
  return await WhepViewer.open(api, feed, token, rig.network.endpoint('udp', 8189), 20_000 * rig.slowness);
}

/** Makes the device a hub that shows the virtual camera. */
export async function showCamera(context: TestContext): Promise<void> {
  const { rig } = context;
  await rig.network.shell(writeConfigCommand(), { input: cardConfig({ more: cameraSource }) });
  await feedOnline(context, 'cam0');
}

/** Tests of live pictures and takes. */
export const mediaTests: readonly TestCase[] = [
  {
    name: 'camera is viewed by WHEP from outside',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 60_000,
    uses: ['video'],
    async run(context) {
      await showCamera(context);
      await using viewer = await view(context, 'cam0');
      await viewer.pictures(20, 20_000 * context.rig.slowness);
      const { pictures, keyframes, lost } = viewer.counter;
      context.note(`${pictures} pictures, ${keyframes} of them keyframes, ${lost} packets missing`);
      const devices = await context.api.json('listDevices');
      assert.ok(devices.length > 0, 'the camera is listed');
    },
  },
  {
    name: 'FFV1 take on the second disk is verified',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 60_000,
    uses: ['video'],
    async run(context) {
      const { rig, api, note, signal } = context;
      await showCamera(context);
      const started = await api.json('startTake', { body: {} });
      await waitFor(
        'frames are written',
        async () =>
          (await api.json('getTake', { params: { id: started.id } })).cameras.some((one) => one.frames >= 10),
        { timeoutMs: 30_000 * rig.slowness, signal },
      );
      await api.json('stopTake', { params: { id: started.id } });
      const take = await waitFor(
        'the take is verified',
        async () => {
          const now = await api.json('getTake', { params: { id: started.id } });
          assert.notEqual(now.state, 'failed', JSON.stringify(now.cameras));
          return now.state === 'verified' && now;
        },
        { timeoutMs: 60_000 * rig.slowness, signal },
      );
      const [camera] = take.cameras;
      assert.ok(camera?.verified);
      note(`${camera.frames} frames, ${camera.droppedFrames} dropped, ${camera.sizeBytes} bytes`);
      const found = await rig.network.shell(
        'findmnt -n -o SOURCE,FSTYPE,LABEL /media/ssd; for f in /media/ssd/takes/*/cam0/*.mkv; do ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0 "$f"; done',
        { timeoutMs: 60_000 * rig.slowness },
      );
      assert.match(found, /RUSHES/);
      assert.match(found, /^ffv1,\d+/m);
      note(`on the disk: ${found.trim().replaceAll('\n', '; ')}`);
    },
  },
  {
    name: 'camera is pulled and plugged',
    selection: 'ci',
    needs: 'booted',
    timeoutMs: 60_000,
    uses: ['video'],
    async run(context) {
      const { rig, api, signal } = context;
      await showCamera(context);
      assert.ok(rig.video);
      await rig.video.unplug();
      await waitFor(
        'the device knows that the camera is gone',
        async () =>
          (await api.json('listFeeds')).every((feed) => feed.id !== 'cam0' || feed.state !== 'online'),
        { timeoutMs: 20_000 * rig.slowness, signal },
      );
      await rig.video.plug();
      await feedOnline(context, 'cam0');
      await using viewer = await view(context, 'cam0');
      await viewer.pictures(5, 20_000 * rig.slowness);
    },
  },
];
