import type { Browser, Page } from 'playwright-core';
import type { WhepAnswer } from './appliance.fake.ts';

/** Draws a moving picture and keeps the tools to answer viewers; runs inside the publishing page. */
const prepare = () => {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  document.body.append(canvas);
  const context = canvas.getContext('2d');
  let frame = 0;
  const peers: RTCPeerConnection[] = [];
  const paint = () => {
    if (context === null) return;
    context.fillStyle = `hsl(${frame % 360} 60% 40%)`;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = '#fff';
    context.fillRect((frame * 7) % 640, 150, 40, 60);
    frame += 1;
  };
  const timer = setInterval(paint, 40);
  const track = canvas.captureStream(25).getVideoTracks()[0];
  const answer = async (offer: string) => {
    const peer = new RTCPeerConnection({ iceServers: [] });
    peers.push(peer);
    if (track !== undefined) peer.addTrack(track);
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20));
    return peer.localDescription?.sdp ?? '';
  };
  const endPeers = () => {
    for (const peer of peers.splice(0)) peer.close();
  };
  const freeze = () => clearInterval(timer);
  Object.assign(globalThis, { answer, endPeers, freeze });
};

interface Tools {
  answer(offer: string): Promise<string>;
  endPeers(): void;
  freeze(): void;
}

/** A real peer behind the fake appliance: a second page of the browser, sending H.264 made from a canvas. */
export class Publisher {
  readonly #page: Page;
  #sessions = 0;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(browser: Browser): Promise<Publisher> {
    const page = await (await browser.newContext()).newPage();
    await page.evaluate(prepare);
    return new Publisher(page);
  }

  /** Answers a WHEP offer as a server would. */
  async answer(feed: string, offer: string): Promise<WhepAnswer> {
    const body = await this.#page.evaluate((sdp) => (globalThis as unknown as Tools).answer(sdp), offer);
    this.#sessions += 1;
    const location = `/whep/${feed}/session-${this.#sessions}`;
    return { status: 201, headers: { 'content-type': 'application/sdp', location, etag: '"1"' }, body };
  }

  /** Ends the viewers' sessions without a word, as a media process that died. */
  async endPeers(): Promise<void> {
    await this.#page.evaluate(() => (globalThis as unknown as Tools).endPeers());
  }

  /** Draws no more: the connection stays, the frames stop. */
  async freeze(): Promise<void> {
    await this.#page.evaluate(() => (globalThis as unknown as Tools).freeze());
  }
}
