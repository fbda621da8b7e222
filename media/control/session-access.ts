/** Who may change or end a session: it has to be named rightly, by who opened it or by who is in charge. */
import type { EndedSession } from './ended-sessions.ts';
import type { SessionOwner, SessionReference } from './protocol.ts';

/** What is left out of the reference is not compared: the caller is the machine itself. */
export function mayTouch(session: EndedSession, { kind, feed, owner }: SessionReference): boolean {
  if (kind !== undefined && kind !== session.kind) return false;
  if (feed !== undefined && feed !== session.feed) return false;
  return owner === undefined || inCharge(owner) || owner.keyId === session.keyId;
}

function inCharge({ role }: SessionOwner): boolean {
  return role === 'owner' || role === 'operator';
}
