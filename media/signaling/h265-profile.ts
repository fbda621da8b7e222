/** Which of a peer's H.265 formats fits a stream (RFC 7798, section 7). */

/** An H.265 format of an offer; what it leaves out has the defaults of RFC 7798. */
export interface H265Format {
  readonly payloadType: number;
  /** 1 is Main, 2 Main 10. */
  readonly profileId: number;
  readonly tierFlag: number;
  /** 30 times the level. */
  readonly levelId: number;
  /** One stream (`SRST`), which is all that we pass on, or several. */
  readonly txMode: string;
}

const MAIN = 1;
const MAIN_10 = 2;
const DEFAULT_LEVEL_ID = 93;

/** Reads the parameters of a format, names in lower case. */
export function h265FormatOf(payloadType: number, given: ReadonlyMap<string, string>): H265Format {
  const number = (name: string, fallback: number): number => {
    const value = given.get(name) ?? '';
    return /^\d{1,3}$/.test(value) ? Number(value) : fallback;
  };
  return {
    payloadType,
    profileId: number('profile-id', MAIN),
    tierFlag: number('tier-flag', 0),
    levelId: number('level-id', DEFAULT_LEVEL_ID),
    txMode: (given.get('tx-mode') ?? 'SRST').toUpperCase(),
  };
}

/** The format that a publisher should send: its own first choice of those we accept. */
export function choosePublisherH265(formats: readonly H265Format[]): H265Format | null {
  return formats.find(({ txMode }) => txMode === 'SRST') ?? null;
}

/**
 * The format that carries a stream of this profile: the same one, or Main 10, whose decoders include Main (ITU-T H.265, annex A.3.3).
 * Null if there is none: the viewer would see nothing.
 */
export function chooseViewerH265(formats: readonly H265Format[], profileId: number): H265Format | null {
  const usable = formats.filter(({ txMode }) => txMode === 'SRST');
  const wider = profileId === MAIN ? MAIN_10 : profileId;
  return (
    usable.find((format) => format.profileId === profileId) ??
    usable.find((format) => format.profileId === wider) ??
    null
  );
}

/** The parameters of a format or stream, as SDP writes them. */
export function h265Parameters(format: Pick<H265Format, 'profileId' | 'tierFlag' | 'levelId'>): string {
  const { levelId, profileId, tierFlag } = format;
  return `level-id=${levelId};profile-id=${profileId};tier-flag=${tierFlag};tx-mode=SRST`;
}
