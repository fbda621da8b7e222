import { useState } from 'preact/hooks';
import type { Rollout, RolloutMember } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { BusyButton } from '../../app/components/busy-button.tsx';
import { Card, Pill } from '../../app/components/parts.tsx';
import {
  isBehind,
  isUnderWay,
  memberTone,
  memberWord,
  rolloutOffers,
  rolloutSentence,
} from '../rollout-words.ts';

type Conduct = AppController['rollout'];

const Progress = ({ percent, label }: { percent: number; label: string }) => (
  <progress class="update-progress" max={100} value={percent} aria-label={label} />
);

const MemberRow = ({ member, rollout, conduct }: MemberProps) => (
  <li class="row" data-member={member.id} data-state={member.state ?? 'none'}>
    <div class="row-head">
      <strong>{member.role === 'hub' ? `${member.name} (hub)` : member.name}</strong>
      <Pill state={memberTone(member)}>{memberWord(member, rollout.canary)}</Pill>
    </div>
    <p class="row-note">
      {member.installedVersion ?? 'version not known'}
      {isBehind(member) && ` → ${member.latestVersion}`}
    </p>
    {member.progressPercent !== null && (
      <Progress percent={member.progressPercent} label={`Update of ${member.name}`} />
    )}
    {member.reason !== null && (
      <p class={member.state === 'failed' ? 'row-reason' : 'row-note'}>{member.reason}</p>
    )}
    {!isUnderWay(rollout) &&
      member.role === 'camera' &&
      member.online &&
      isBehind(member) &&
      !member.busy && (
        <button type="button" class="button button-small" onClick={() => conduct({ update: member.id })}>
          Update this one alone
        </button>
      )}
  </li>
);

interface MemberProps {
  readonly member: RolloutMember;
  readonly rollout: Rollout;
  readonly conduct: Conduct;
}

const CanaryChoice = (props: {
  canaries: readonly RolloutMember[];
  chosen: string | null;
  choose(id: string): void;
}) => (
  <label class="update-canary">
    Goes first
    <select
      data-testid="canary"
      value={props.chosen ?? props.canaries[0]?.id}
      onChange={(event) => props.choose(event.currentTarget.value)}
    >
      {props.canaries.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

/** Cameras and hub updated together: one at a time, a canary first, and a halt if something fails. */
export const RolloutCard = ({ rollout, conduct }: { rollout: Rollout; conduct: Conduct }) => {
  const [wanted, want] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const offers = rolloutOffers(rollout);
  const act = async (action: Parameters<Conduct>[0]) => {
    setBusy(true);
    await conduct(action);
    setBusy(false);
  };
  const choose = (id: string) => {
    want(id);
    if (isUnderWay(rollout)) void act({ canary: id });
  };
  const chosen = isUnderWay(rollout) ? rollout.canary : wanted;
  const canary = offers.canaries.some(({ id }) => id === wanted) ? wanted : null;
  const button = (text: string, action: Parameters<Conduct>[0], main = false) => (
    <BusyButton class={main ? 'button button-main' : 'button'} busy={busy} onClick={() => void act(action)}>
      {text}
    </BusyButton>
  );
  return (
    <Card title="Updates of cameras and hub">
      <div class="update" data-testid="rollout" data-phase={rollout.phase}>
        <p>{rolloutSentence(rollout)}</p>
        {rollout.cachingPercent !== null && <Progress percent={rollout.cachingPercent} label="Download" />}
        {rollout.reason !== null && (
          <p class={rollout.phase === 'halted' ? 'row-reason' : 'row-note'}>{rollout.reason}</p>
        )}
        {offers.start && rollout.available !== null && rollout.available.notes !== '' && (
          <p class="row-note update-notes">{rollout.available.notes}</p>
        )}
        {(offers.start || offers.cancel) && offers.canaries.length > 1 && (
          <CanaryChoice canaries={offers.canaries} chosen={chosen} choose={choose} />
        )}
        <div class="actions">
          {offers.start && button(`Update all to ${rollout.available?.version}`, { start: canary }, true)}
          {offers.resume && button(rollout.phase === 'halted' ? 'Try again' : 'Continue', 'resume', true)}
          {offers.pause && button('Pause', 'pause')}
          {offers.cancel && button('Cancel', 'cancel')}
        </div>
        <ul class="rows">
          {rollout.members.map((member) => (
            <MemberRow key={member.id} member={member} rollout={rollout} conduct={conduct} />
          ))}
        </ul>
      </div>
    </Card>
  );
};
