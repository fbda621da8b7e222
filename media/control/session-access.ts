/** Who may change or end a session: its owner, or an owner of the appliance, who must name it correctly. */
import type { EndedSession } from './ended-sessions.ts';
import type { SessionOwner, SessionReference } from './protocol.ts';

/** Fields left out of the reference are not compared: the caller is the machine itself. */
export function mayTouch(session: EndedSession, { kind, feed, owner }: SessionReference): boolean {
  if (kind !== undefined && kind !== session.kind) return false;
  if (feed !== undefined && feed !== session.feed) return false;
  return owner === undefined || inCharge(owner) || owner.keyId === session.keyId;
}

function inCharge({ role }: SessionOwner): boolean {
  return role === 'owner' || role === 'operator';
}
