/** A requirement, and the possible results of checking it on a server. */

/** The two protocols. */
export type Protocol = 'whip' | 'whep';

/** `PRACTICE`: no text asks for it, and clients that people have need it. */
export type Level = 'MUST' | 'SHOULD' | 'PRACTICE';

/** The result of a check, and why. */
export interface Outcome {
  readonly verdict: 'pass' | 'fail' | 'not applicable';
  /** Why; empty if there is nothing to add to a pass. */
  readonly reason: string;
}

/** One requirement with its place in the standard and its check. */
export interface Requirement<Subject> {
  readonly id: string;
  readonly level: Level;
  /** Where the texts ask for it, for each protocol that does. */
  readonly sections: Readonly<Partial<Record<Protocol, string>>>;
  /** In our words. */
  readonly text: string;
  /** Nobody sees it from outside: it is named, and never judged. */
  readonly unseen?: true;
  readonly look: (subject: Subject) => Promise<Outcome> | Outcome;
}

/** A requirement and its result. */
export interface Finding extends Outcome {
  readonly id: string;
  readonly level: Level;
  readonly protocol: Protocol;
  readonly section: string;
  readonly text: string;
}

/** The requirement is met. */
export const pass = (reason = ''): Outcome => ({ verdict: 'pass', reason });
/** The requirement is broken. */
export const fail = (reason: string): Outcome => ({ verdict: 'fail', reason });
/** The requirement does not apply to this server or client. */
export const notApplicable = (reason: string): Outcome => ({ verdict: 'not applicable', reason });

/** Passes unless something is wrong; what is wrong is named. */
export function unless(faults: readonly (string | false | null)[], remark = ''): Outcome {
  const named = faults.filter((fault) => typeof fault === 'string');
  return named.length === 0 ? pass(remark) : fail(named.join('; '));
}
