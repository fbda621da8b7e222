/** A page with which tests publish and view; its script runs in the browser. */
const script = `
/** The answer's candidates may be led elsewhere: globalThis.way is the port in place of theirs. */
async function exchange(peer, url) {
  await peer.setLocalDescription();
  const headers = { 'content-type': 'application/sdp' };
  const response = await fetch(url, { method: 'POST', headers, body: peer.localDescription.sdp });
  const sdp = await response.text();
  if (!response.ok) throw new Error(sdp);
  const led = globalThis.way ? sdp.replace(/(a=candidate:.*) \\d+ typ/g, '$1 ' + way + ' typ') : sdp;
  await peer.setRemoteDescription({ type: 'answer', sdp: led });
}
async function publish(url) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: true });
  globalThis.peer = new RTCPeerConnection();
  for (const track of stream.getTracks()) {
    peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  }
  await exchange(peer, url);
}
/** Publishes a picture that takes as many bits as it gets. */
async function publishNoise(url) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 640, height: 360 });
  const context = canvas.getContext('2d');
  setInterval(() => {
    for (let i = 0; i < 50; i++) {
      context.fillStyle = 'hsl(' + Math.random() * 360 + ',80%,50%)';
      context.fillRect(Math.random() * 640, Math.random() * 360, 40, 40);
    }
  }, 33);
  const [track] = canvas.captureStream(30).getTracks();
  track.contentHint = 'detail';
  globalThis.peer = new RTCPeerConnection();
  const transceiver = peer.addTransceiver(track, { direction: 'sendonly' });
  const { codecs } = RTCRtpSender.getCapabilities('video');
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => /h264|rtx/i.test(mimeType)));
  const parameters = transceiver.sender.getParameters();
  parameters.degradationPreference = 'maintain-resolution';
  await transceiver.sender.setParameters(parameters);
  await exchange(peer, url);
}
/** Publishes layers, each smaller than the camera by its factor. */
async function publishLayers(url, factors) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
  globalThis.peer = new RTCPeerConnection();
  const sendEncodings = factors.map((factor) => ({ rid: 'by' + factor, scaleResolutionDownBy: factor }));
  const transceiver = peer.addTransceiver(stream.getTracks()[0], { direction: 'sendonly', sendEncodings });
  const { codecs } = RTCRtpSender.getCapabilities('video');
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => /h264|rtx/i.test(mimeType)));
  await exchange(peer, url);
}
async function view(url) {
  globalThis.peer = new RTCPeerConnection();
  const stream = new MediaStream();
  peer.addTransceiver('video', { direction: 'recvonly' });
  peer.addTransceiver('audio', { direction: 'recvonly' });
  peer.ontrack = (event) => {
    stream.addTrack(event.track);
    document.querySelector('video').srcObject = stream;
  };
  await exchange(peer, url);
}
/** Milliseconds from the request to the first frame on the screen. */
async function join(url) {
  const video = document.querySelector('video');
  const start = performance.now();
  const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  await view(url);
  await shown;
  const joinMs = performance.now() - start;
  peer.close();
  return joinMs;
}
/** The longest time between two frames on the screen within so many milliseconds. */
async function longestFreeze(forMs) {
  const video = document.querySelector('video');
  const end = performance.now() + forMs;
  let longest = 0, last = 0;
  while (last < end) {
    const shown = await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    if (last > 0) longest = Math.max(longest, shown - last);
    last = shown;
  }
  return longest;
}
/** How often the browser measured the round trip of the picture's packets. */
async function roundTripsOf() {
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === 'remote-outbound-rtp' && entry.kind === 'video') return entry.roundTripTimeMeasurements || 0;
  }
  return 0;
}
async function statsOf() {
  const result = { framesDecoded: 0, frameWidth: 0, audioPackets: 0 };
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type !== 'inbound-rtp') continue;
    if (entry.kind === 'audio') result.audioPackets = entry.packetsReceived || 0;
    else Object.assign(result, { framesDecoded: entry.framesDecoded || 0, frameWidth: entry.frameWidth || 0 });
  }
  return result;
}`;

/** The page. */
export const BROWSER_PAGE = `<!doctype html><title>test</title><link rel="icon" href="data:,">
<video autoplay muted playsinline></video><script>${script}</script>`;
