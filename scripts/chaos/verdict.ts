import { describeError } from '../../common/errors.ts';
import type { Take } from '../../supervisor/contract/index.ts';
import { problemsOfTake } from './check-take.ts';
import { decodeMasters, findTakes } from './find-takes.ts';
import type { ProcessWatch } from './process-watch.ts';
import type { Report } from './report.ts';
import { type Player, type Stage, sourceOf } from './stage.ts';

const settleMs = 120_000;
const over: readonly string[] = ['verified', 'failed'];

/** What the verdict checks. */
export interface VerdictOptions {
  readonly stage: Stage;
  readonly watch: ProcessWatch;
  readonly report: Report;
}

/** What must hold once everything works again. */
export class Verdict {
  readonly #options: VerdictOptions;

  constructor(options: VerdictOptions) {
    this.#options = options;
  }

  /** Repairs what the run broke, and waits until both machines have come to rest. */
  async settle(): Promise<void> {
    const { stage } = this.#options;
    for (const { disk, host, machine, settings } of stage.players) {
      await disk.heal();
      await host.restoreCable();
      await machine.configure(settings);
    }
    for (const player of stage.players)
      await this.#expect(`API of the ${player.name}`, () => this.#apiAnswers(player));
    for (const player of stage.players)
      await this.#expect(`takes of the ${player.name}`, () => this.#takesEnd(player));
    await this.#expect('feed of the camera', () => stage.feedArrives());
  }

  /** Every take on both disks: what it says, and what another decoder finds. */
  async takes(): Promise<void> {
    const { stage, watch, report } = this.#options;
    for (const { name, disk, machine } of stage.players) {
      const starts = watch.pipelineStarts.filter(({ machine: at }) => at === name).map(({ atMs }) => atMs);
      const shown = await machine.ask<Take[]>('GET', '/api/takes');
      for (const { folder, manifest } of await findTakes(disk.folder)) {
        if (typeof manifest === 'string') {
          report.fault(`${folder} of the ${name}: take.json cannot be understood: ${manifest}`);
          continue;
        }
        const masters = await decodeMasters(folder, manifest);
        const problems = problemsOfTake({ manifest, masters, pipelineStartsMs: starts });
        for (const text of problems) report.fault(`take ${manifest.id} of the ${name}: ${text}`);
        const what = `takes of the ${name}`;
        report.count(what, manifest.state);
        for (const [source, record] of Object.entries(manifest.cameras)) {
          report.count(
            what,
            'segments decoded',
            [...masters.values()].filter((one) => typeof one !== 'string').length,
          );
          report.count(what, 'frames kept', record.frames);
          report.count(what, 'frames stated as dropped', record.droppedFrames);
          if (record.state === 'failed')
            report.say(`take ${manifest.id} of the ${name} failed: ${record.reason}`);
          const listed = shown
            .find(({ id }) => id === manifest.id)
            ?.cameras.find(({ camera, device }) => camera === source && device === null);
          if (listed?.frames !== record.frames || listed.droppedFrames !== record.droppedFrames) {
            report.fault(
              `take ${manifest.id} of the ${name}: the API says ${listed?.frames} frames and ${listed?.droppedFrames} dropped, take.json ${record.frames} and ${record.droppedFrames}`,
            );
          }
        }
      }
    }
  }

  /** One more take, on both machines, without a frame missing. */
  async oneMoreTake(): Promise<void> {
    await this.#expect('one more take', async () => {
      const { stage, report } = this.#options;
      const { machine } = stage.player('hub');
      const { id } = await machine.ask<Take>('POST', '/api/takes');
      const look = () => machine.ask<Take>('GET', `/api/takes/${id}`);
      await machine.until('both record', async () => {
        const { cameras } = await look();
        const sources = Object.values(sourceOf);
        return sources.every((source) =>
          cameras.some((one) => one.camera === source && one.state === 'recording' && one.frames >= 50),
        );
      });
      await machine.ask('POST', `/api/takes/${id}/stop`);
      const done = await machine.until('it is over', async () => {
        const take = await look();
        return over.includes(take.state) ? take : null;
      });
      report.count('one more take', done.state);
      if (done.state !== 'verified') throw new Error(`it is ${done.state}: ${JSON.stringify(done.cameras)}`);
    });
  }

  async #apiAnswers({ machine }: Player): Promise<void> {
    for (const path of ['/healthz', '/readyz', '/api/status']) {
      await machine.until(
        path,
        async () => (await machine.askAs(await machine.ownerToken(), 'GET', path)).status === 200,
      );
    }
  }

  async #takesEnd({ machine }: Player): Promise<void> {
    await machine.until(
      'every take is over',
      async () => {
        const takes = await machine.ask<Take[]>('GET', '/api/takes');
        for (const { id, stoppedAt } of takes) {
          if (stoppedAt === null) await machine.ask('POST', `/api/takes/${id}/stop`);
        }
        const left = takes.filter(({ state, stoppedAt }) => stoppedAt === null || !over.includes(state));
        if (left.length > 0) throw new Error(`${left.length} are not: ${JSON.stringify(left)}`);
        return true;
      },
      settleMs,
    );
  }

  async #expect(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.report.fault(`${what}: ${describeError(error).slice(0, 3000)}`);
    }
  }
}
