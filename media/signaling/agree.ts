/** Reaches an agreement with another server that leaves nothing open: with one offer, or with a few. */
import { describeError } from '../../common/errors.ts';
import { type Offer, parseAnswer } from './offer.ts';
import { HubError, type Opened } from './whip-client.ts';

/** An offer to make. */
export interface Proposal {
  readonly offer: string;
  /** What to offer instead, if this is refused; null if the refusal stands. */
  instead?(refusal: HubError): string | null;
  /** A narrower offer, if this answer leaves open what will come; null if it is as good as any. */
  another?(answer: Offer): string | null;
}

/** Posts an offer. */
export type Post = (offer: string) => Promise<Opened>;

/** `end` ends a session that another one takes the place of. Rejects with the HubError of the first offer. */
export async function agree(
  proposal: Proposal,
  post: Post,
  end: (resource: string) => Promise<void>,
): Promise<Opened> {
  let opened = await first(proposal, post);
  for (;;) {
    const narrower = opened.countered ? null : (proposal.another?.(readAnswer(opened.answer)) ?? null);
    if (narrower === null) return opened;
    const next = await post(narrower).catch((error: unknown) => {
      // The first agreement still holds.
      if (error instanceof HubError && error.status !== undefined) return null;
      throw error;
    });
    if (next === null) return opened;
    if (opened.resource !== null) await end(opened.resource);
    opened = next;
  }
}

/** If the server takes neither offer, its refusal of the usual one says more. */
async function first({ offer, instead }: Proposal, post: Post): Promise<Opened> {
  try {
    return await post(offer);
  } catch (refusal) {
    const other = refusal instanceof HubError ? (instead?.(refusal) ?? null) : null;
    if (other === null) throw refusal;
    return await post(other).catch((error: unknown) => {
      throw error instanceof HubError ? refusal : error;
    });
  }
}

/** Throws HubError if the answer is invalid. */
export function readAnswer(text: string): Offer {
  try {
    return parseAnswer(text);
  } catch (cause) {
    const reason = describeError(cause);
    throw new HubError('HUB_ANSWER', `the server's answer cannot be used: ${reason}`, {
      status: 422,
      detail: reason,
      cause,
    });
  }
}
