import type { Status } from '../../../../contract/index.ts';
import { type Alert, alertsOf } from '../alerts.ts';
import { Icon } from './icon.tsx';
import { Words } from './parts.tsx';

const AlertText = ({ alert }: { alert: Alert }) => (
  <>
    <strong>{alert.title}</strong>
    {alert.detail !== null && (
      <span>
        {' '}
        <Words>{alert.detail}</Words>
      </span>
    )}
    {alert.advice !== null && (
      <span class="advice">
        {' '}
        <Words>{alert.advice}</Words>
      </span>
    )}
  </>
);

/** The most serious alert in brief, all others behind one press: the pictures need the room. */
export const AlertList = ({ status }: { status: Status }) => {
  const alerts = alertsOf(status);
  const [first, ...others] = alerts;
  if (first === undefined) return null;
  return (
    <details class={`banner alerts banner-${first.severity}`} data-testid="alerts">
      <summary>
        <Icon name="warning" />
        <span class="alert-brief" aria-live="polite">
          <AlertText alert={first} />
        </span>
        <span class="alert-more">{others.length > 0 ? `${others.length} more` : 'More'}</span>
      </summary>
      <ul>
        {alerts.map((alert) => (
          <li key={alert.key} data-severity={alert.severity}>
            <AlertText alert={alert} />
          </li>
        ))}
      </ul>
    </details>
  );
};
