/** How page and API can be reached: what is really served, which may differ from what the settings ask for. */
export interface Reach {
  /** Port of plain HTTP; null if there is none but for this machine's own programs. */
  readonly port: number | null;
  readonly tlsPort: number | null;
  readonly fingerprint: string | null;
  /** The address it listens on, if that is not every one. */
  readonly address: string | null;
  /** False: only on loopback. */
  readonly outside: boolean;
  /** Where this machine's own programs ask, without a slash at the end. */
  readonly localUrl: string;
}
