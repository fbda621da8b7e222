/** The device's serial console. */
export interface Console {
  /** Everything since the rig was set up, with a mark line at every start. */
  readonly log: string;
  /** Resolves with the match in the text after the first `since` characters of the log. Rejects with RIG_TIMEOUT. */
  expect(pattern: RegExp, options: { timeoutMs: number; since?: number }): Promise<RegExpExecArray>;
  write(text: string): Promise<void>;
}
