import type { Update } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { Action, CarefulAction } from '../../app/components/action.tsx';
import { Card, Fact, Pill } from '../../app/components/parts.tsx';
import { formatInstant } from '../../app/format.ts';
import { canCheck, canInstall, updateTone, updateWord, wayBack } from '../rollout-words.ts';

type LastAttempt = NonNullable<Update['lastAttempt']>;

const Attempt = ({ attempt }: { attempt: LastAttempt }) => (
  <details class="fold">
    <summary>
      Last update: {attempt.version}, {attempt.outcome}
    </summary>
    <p class="row-note">{formatInstant(attempt.at)}</p>
    {attempt.reason !== null && <p class="row-reason">{attempt.reason}</p>}
    <ul class="rows">
      {attempt.stages.map(({ name, at, ok, detail }) => (
        <li class="row" key={`${at} ${name}`}>
          <div class="row-head">
            {name}
            <Pill state={ok ? 'ok' : 'failed'}>{ok ? 'done' : 'failed'}</Pill>
          </div>
          {detail !== null && <p class="row-note">{detail}</p>}
        </li>
      ))}
    </ul>
  </details>
);

interface UpdateProps {
  readonly update: Update;
  /** If cameras are updated first, this is not the button to press. */
  readonly conducts: boolean;
  readonly act: AppController['update'];
}

/** The update of this machine alone: what runs, what is on offer, and the result of the last one. */
export const UpdateCard = ({ update, conducts, act }: UpdateProps) => {
  const back = wayBack(update);
  return (
    <Card title="Update of this appliance">
      <div class="update" data-testid="update" data-state={update.state}>
        <dl>
          <Fact name="Installed">{update.installedVersion}</Fact>
          <Fact name="Newest known">{update.latestVersion ?? '–'}</Fact>
          <Fact name="State">
            <Pill state={updateTone(update)}>{updateWord(update)}</Pill>
          </Fact>
        </dl>
        {update.progressPercent !== null && (
          <progress class="update-progress" max={100} value={update.progressPercent} aria-label="Update" />
        )}
        {update.reason !== null && <p class="row-note">{update.reason}</p>}
        {canInstall(update) && update.releaseNotes !== null && (
          <p class="row-note update-notes">{update.releaseNotes}</p>
        )}
        <div class="actions">
          {canInstall(update) && (
            <Action
              main={!conducts}
              text={`Install ${update.latestVersion}`}
              doing="Starting…"
              act={() => act('install')}
            />
          )}
          {canCheck(update) && <Action text="Check for updates" doing="Looking…" act={() => act('check')} />}
          {back !== null && (
            <CarefulAction
              text={`Go back to ${back}`}
              doing="Restarting…"
              warning={`This appliance restarts into ${back}, and stays there if all works as before.`}
              act={() => act('rollback')}
            />
          )}
        </div>
        {update.lastAttempt !== null && <Attempt attempt={update.lastAttempt} />}
      </div>
    </Card>
  );
};
