/** Why a server that is published to, or pulled from, is of no use now. */
export type HubCode = 'HUB_UNREACHABLE' | 'HUB_REFUSED' | 'HUB_IDENTITY' | 'HUB_SILENT';

/** Why publishing failed; `hubCode` is the code of the hub's problem document, where it gave one. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubCode;
  readonly status: number | undefined;
  readonly hubCode: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(
    code: HubCode,
    message: string,
    options: {
      status?: number;
      hubCode?: string | undefined;
      retryAfterS?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.hubCode = options.hubCode;
    this.retryAfterS = options.retryAfterS;
  }
}
