/** A viewer in a process of its own, so that a test can freeze it: `node native-viewer.fake.ts <whep url>`. */
import { NativePeer } from '../signaling/native-peer.fake.ts';

const peer = new NativePeer('RecvOnly', { audio: false });
let packets = 0;
peer.onPacket('video', () => {
  packets++;
});
await peer.connect(process.argv[2] ?? '');
setInterval(() => process.stdout.write(`${packets}\n`), 200);
