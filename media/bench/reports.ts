/** Figures of one run, as rows of a table. Ratios compare servers of the same run alone. */
import { arrived, coreShare, lossShare, percentile, perPacketUs } from './figures.ts';
import type { FanOutFigures, JoinFigures, LossFigures, SoakFigures } from './load.ts';
import { percent, type Row, short } from './table.ts';

/** Figures of one server. */
export interface Measured<T> {
  readonly server: string;
  readonly figures: readonly T[];
  readonly failure: string | null;
}

/** Rows of the table of fan-out. */
export function fanOutRows(all: readonly Measured<FanOutFigures>[]): Row[] {
  const cost = (server: string, viewers: number): number => {
    const found = all
      .find((measured) => measured.server === server)
      ?.figures.find((figures) => figures.viewers === viewers);
    return found === undefined ? Number.NaN : costOf(found);
  };
  return byViewers(all).map(({ server, figures }) => {
    const own = costOf(figures);
    return {
      server,
      viewers: String(figures.viewers),
      'µs/packet/viewer': short(own),
      '÷ pion': short(own / cost('pion', figures.viewers)),
      '÷ floor-aes': short(own / cost('floor-aes', figures.viewers)),
      core: percent(coreShare(figures.cpuUs, figures.seconds)),
      'p50 ms': short(percentile(figures.delaysUs, 0.5) / 1000),
      'p99 ms': short(percentile(figures.delaysUs, 0.99) / 1000),
      lost: percent(lossShare(figures.expectedPackets, figures.deliveredPackets)),
      NACKs: String(figures.nacks),
      'RSS MiB': short(figures.usage.rssKib / 1024),
      'load core': percent(coreShare(figures.loadCpuUs, figures.seconds)),
      SRTP: figures.profile.replace('SRTP_', ''),
    };
  });
}

function costOf(figures: FanOutFigures): number {
  const lostShare = lossShare(figures.expectedPackets, figures.deliveredPackets);
  return perPacketUs({ ...figures, lostShare });
}

/** Rows of the table of delays. */
export function latencyRows(all: readonly Measured<FanOutFigures>[]): Row[] {
  const delay = (server: string, viewers: number, share: number): number =>
    percentile(
      all
        .find((measured) => measured.server === server)
        ?.figures.find((figures) => figures.viewers === viewers)?.delaysUs ?? [],
      share,
    ) / 1000;
  return byViewers(all).map(
    ({ server, figures: { viewers, delaysUs, expectedPackets, deliveredPackets } }) => {
      const [p50, p99] = [delay(server, viewers, 0.5), delay(server, viewers, 0.99)];
      return {
        server,
        viewers: String(viewers),
        frames: String(delaysUs.length),
        'p50 ms': short(p50),
        'p99 ms': short(p99),
        'max ms': short(percentile(delaysUs, 1) / 1000),
        'p50 beyond floor': short(p50 - delay('floor', viewers, 0.5)),
        'p99 beyond floor': short(p99 - delay('floor', viewers, 0.99)),
        'p99 ÷ pion': short(p99 / delay('pion', viewers, 0.99)),
        lost: percent(lossShare(expectedPackets, deliveredPackets)),
      };
    },
  );
}

function byViewers(
  all: readonly Measured<FanOutFigures>[],
): { readonly server: string; readonly figures: FanOutFigures }[] {
  return all
    .flatMap(({ server, figures }) => figures.map((one) => ({ server, figures: one })))
    .sort((a, b) => a.figures.viewers - b.figures.viewers);
}

/** Rows of the table of joins. */
export function joinRows(all: readonly Measured<JoinFigures>[]): Row[] {
  return all.flatMap(({ server, figures }) =>
    figures.map(({ joins, keyframeMs, liveMs }) => {
      const keyframes = arrived(keyframeMs);
      const behind = liveMs.flatMap((live, i) => (live < 0 ? [] : [live - (keyframeMs[i] ?? 0)]));
      return {
        server,
        joins: String(joins),
        'without picture': String(joins - keyframes.length),
        'first picture p50 ms': short(percentile(keyframes, 0.5)),
        'p95 ms': short(percentile(keyframes, 0.95)),
        'max ms': short(percentile(keyframes, 1)),
        'then live after p50 ms': short(percentile(behind, 0.5)),
        'p95 ms ': short(percentile(behind, 0.95)),
      };
    }),
  );
}

/** Rows of the table of losses. */
export function lossRows(all: readonly Measured<LossFigures>[]): Row[] {
  return all.flatMap(({ server, figures }) =>
    figures.map(({ viewers, seconds, loss, dropped, repaired, lossy, others, othersWithLoss }) => ({
      server,
      seconds: short(seconds),
      'lost on the way': `${percent(loss)}: ${dropped}`,
      repaired: String(repaired),
      'its pictures missing': `${lossy.missing} of ${lossy.frames}`,
      'its longest freeze ms': short(lossy.longestMs),
      [`the other ${viewers - 1}: missing`]: `${others.missing}, of ${othersWithLoss} viewers`,
      'their longest freeze ms': short(others.longestMs),
    })),
  );
}

/** Rows of the table of soaks. */
export function soakRows(all: readonly Measured<SoakFigures>[]): Row[] {
  return all.flatMap(({ server, figures }) =>
    figures.map(({ joins, vanished, failed, before, during, after, stayed }) => ({
      server,
      joins: String(joins),
      vanished: String(vanished),
      failed: String(failed),
      'RSS MiB before/during/after': [before, during, after]
        .map(({ rssKib }) => short(rssKib / 1024))
        .join(' / '),
      'descriptors before/during/after': [before, during, after]
        .map(({ descriptors }) => descriptors)
        .join(' / '),
      'lost by those who stayed': percent(lossShare(stayed.expectedPackets, stayed.deliveredPackets)),
    })),
  );
}
