/** The PATCH requests with which the looks trickle and restart. */
import type { Lab, OpenedSession } from '../lab.ts';
import { createIce, type IceSide, makeFragment } from '../offers.ts';
import { notApplicable, type Outcome } from '../requirement.ts';
import type { Answer } from '../server.ts';

/** An address that nobody has (RFC 5737). */
export const candidate = '1 1 udp 2122260223 192.0.2.1 61764 typ host';

/** Sends a trickle fragment. */
export const trickle = (
  lab: Lab,
  session: OpenedSession,
  ifMatch: string | null,
  candidates: readonly string[] = [candidate],
): Promise<Answer> => lab.patch(session.url, ifMatch, makeFragment(session.ice, candidates));

/** A restart with new credentials, which are returned. */
export async function restart(lab: Lab, session: OpenedSession): Promise<{ ice: IceSide; answer: Answer }> {
  const ice = createIce();
  return { ice, answer: await lab.patch(session.url, '*', makeFragment(ice, [candidate])) };
}

/** The outcome for a server without ICE restarts. */
export const noRestarts = ({ status }: Answer): Outcome =>
  notApplicable(`the server makes no ICE restarts: it answers ${status}`);
