import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RtpPacket } from '../rtp/rtp-packet.ts';
import { SequenceUnwrapper } from '../rtp/sequence.ts';
import { eventually, freeRtpPort, openMediaRig } from '../signaling/media-rig.fake.ts';
import { NativePeer } from '../signaling/native-peer.fake.ts';
import { startLiveSource } from '../signaling/recording.fake.ts';

const VIEWERS = 9;

describe('Ten viewers', () => {
  it('lose nothing when one of them stops reading', async () => {
    const rtpPort = await freeRtpPort();
    await using rig = await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] });
    const ffmpeg = startLiveSource(rtpPort);
    const frozen = spawn(process.execPath, [
      fileURLToPath(new URL('native-viewer.fake.ts', import.meta.url)),
      `${rig.url}/whep/cam0`,
    ]);
    const viewers: { peer: NativePeer; packets: Map<number, RtpPacket> }[] = [];
    try {
      let lastLine = '';
      frozen.stdout.on('data', (chunk) => {
        lastLine = String(chunk).trim().split('\n').at(-1) ?? '';
      });
      await eventually(() => Number(lastLine) > 0, 'the tenth viewer gets packets');
      for (let i = 0; i < VIEWERS; i++) {
        const peer = new NativePeer('RecvOnly', { audio: false });
        const packets = new Map<number, RtpPacket>();
        const unwrapper = new SequenceUnwrapper();
        viewers.push({ peer, packets });
        peer.onPacket('video', (packet) => packets.set(unwrapper.unwrap(packet.sequence), packet));
        await peer.connect(`${rig.url}/whep/cam0`);
      }
      frozen.kill('SIGSTOP');
      const memoryBefore = process.memoryUsage().rss;
      const start = viewers.map(({ packets }) => packets.size);
      await eventually(
        () => viewers.every(({ packets }, i) => packets.size > (start[i] ?? 0) + 600),
        'everybody gets several seconds of the stream',
        60_000,
      );
      for (const { packets } of viewers) {
        const numbers = [...packets.keys()];
        const first = Math.min(...numbers);
        const last = Math.max(...numbers);
        const missing = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
          (n) => !packets.has(n),
        );
        expect(missing).toEqual([]);
      }
      const [feed] = rig.service.feeds.stats(performance.now());
      expect(feed?.viewers).toHaveLength(VIEWERS + 1);
      expect(feed?.viewers.every((viewer) => viewer.skippedFrames === 0)).toBe(true);
      expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(64 * 1024 * 1024);
    } finally {
      frozen.kill('SIGKILL');
      ffmpeg.kill('SIGKILL');
      for (const { peer } of viewers) peer[Symbol.dispose]();
    }
  });
});
