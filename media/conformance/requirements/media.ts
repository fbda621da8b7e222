/** What follows the answer, with a complete peer: media on one transport, and ends from both sides. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../lab.ts';
import type { Peer } from '../peer.ts';
import { notApplicable, type Requirement, unless } from '../requirement.ts';
import { isGood } from '../server.ts';

/** Whether the session is still there; null if the server does not say. */
async function isThere(lab: Lab, peer: Peer): Promise<boolean | null> {
  if (peer.sessionUrl === null) return null;
  const answer = await lab.askAt(peer.sessionUrl, { method: 'GET' });
  if (isGood(answer)) return true;
  return answer.status === 404 || answer.status === 410 ? false : null;
}

async function isGoneWithin(lab: Lab, peer: Peer, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if ((await isThere(lab, peer)) === false) return true;
    await sleep(250);
  }
  return false;
}

/** Requirements of media. */
export const mediaRequirements: readonly Requirement<Lab>[] = [
  {
    id: 'media',
    level: 'MUST',
    sections: { whip: '4.4.1', whep: '4.6.1' },
    text: 'Picture and sound go over one transport after ICE and DTLS',
    look: async (lab) => {
      const peer = await lab.peer();
      if (lab.protocol === 'whip') {
        await sleep(1000);
        return unless([
          peer.state !== 'connected' && `the connection is ${peer.state} after a second of media`,
        ]);
      }
      const silent = /m=audio 0 |a=inactive/.test(peer.answer);
      return unless([
        !(await peer.hears(['video'], lab.patience.mediaMs)) &&
          `no picture came within ${lab.patience.mediaMs / 1000} s`,
        !silent &&
          !(await peer.hears(['audio'], lab.patience.mediaMs)) &&
          `no sound came within ${lab.patience.mediaMs / 1000} s`,
      ]);
    },
  },
  {
    id: 'restart-keeps-media',
    level: 'MUST',
    sections: { whep: '4.5.3' },
    text: 'A refused restart does not interrupt the media',
    look: async (lab) => {
      const peer = await lab.peer();
      if (peer.sessionUrl === null) return notApplicable('the server names no session');
      if (!(await peer.hears(['video'], lab.patience.mediaMs))) return unless(['no picture came at all']);
      await lab.patch(peer.sessionUrl, '*', 'a=ice-ufrag:x\r\na=ice-pwd:short\r\n');
      return unless([
        !(await peer.hears(['video'], lab.patience.mediaMs)) && 'no picture came after it',
        peer.state !== 'connected' && `the connection is ${peer.state}`,
      ]);
    },
  },
  {
    id: 'delete',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'DELETE is answered 200 and ends the session: ICE and DTLS are torn down',
    look: async (lab) => {
      const peer = await lab.peer();
      if (peer.sessionUrl === null) return unless(['the server names no session']);
      const answer = await lab.askAt(peer.sessionUrl, { method: 'DELETE' });
      return unless([
        answer.status !== 200 && `it is answered ${answer.status}`,
        !(await peer.isEnded(lab.patience.endMs)) &&
          `the connection still stands after ${lab.patience.endMs / 1000} s`,
      ]);
    },
  },
  {
    id: 'delete-stops-media',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'A session that the server ends sends nothing more (RFC 7675, section 5.2), and is gone',
    look: async (lab) => {
      const peer = await lab.peer();
      if (peer.sessionUrl === null) return unless(['the server names no session']);
      const answer = await lab.askAt(peer.sessionUrl, { method: 'DELETE' });
      await sleep(1000);
      const quietMs = performance.now() - peer.received.lastMs;
      return unless([
        !isGood(answer) && `DELETE is answered ${answer.status}`,
        lab.protocol === 'whep' &&
          peer.received.lastMs > 0 &&
          quietMs < 500 &&
          'media still comes a second later',
        (await isThere(lab, peer)) === true && 'GET on the session is still answered 2xx',
      ]);
    },
  },
  {
    id: 'delete-ignores-tags',
    level: 'MUST',
    sections: { whip: '4.3.1', whep: '4.5.1' },
    text: 'An entity tag in DELETE is ignored',
    look: async (lab) => {
      const { url } = await lab.open();
      const answer = await lab.askAt(url, { method: 'DELETE', headers: { 'if-match': '"no-such-tag"' } });
      return unless([!isGood(answer) && `DELETE with another tag is answered ${answer.status}`]);
    },
  },
  {
    id: 'delete-twice',
    level: 'PRACTICE',
    sections: { whip: '4.2', whep: '4.4' },
    text: 'A DELETE just after the end of DTLS, as OBS sends it, is not an error',
    look: async (lab) => {
      const peer = await lab.peer();
      if (peer.sessionUrl === null) return notApplicable('the server names no session');
      peer.leave();
      await sleep(500);
      const answer = await lab.askAt(peer.sessionUrl, { method: 'DELETE' });
      return unless([!isGood(answer) && `it is answered ${answer.status}`]);
    },
  },
  {
    id: 'dtls-goodbye',
    level: 'MUST',
    sections: { whip: '4.2', whep: '4.3.8' },
    text: 'A client that ends DTLS has ended its session; one that falls silent loses it (RFC 7675)',
    look: async (lab) => {
      const peer = await lab.peer();
      if ((await isThere(lab, peer)) === null)
        return notApplicable('the server does not say whether a session is there');
      peer.leave();
      return unless([
        !(await isGoneWithin(lab, peer, lab.patience.consentMs)) &&
          `the session is still there ${lab.patience.consentMs / 1000} s later`,
      ]);
    },
  },
];
