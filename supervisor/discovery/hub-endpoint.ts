/** How a camera reaches its hub. */
export interface HubEndpoint {
  readonly url: string;
  readonly token: string | null;
  /** SHA-256 of the hub's certificate; null: an authority vouches for it, or there is no TLS. */
  readonly tlsFingerprint: string | null;
}
