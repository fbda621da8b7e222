import type { Status } from '../../../api/contract.ts';
import { type Alert, alertsOf } from '../alerts.ts';
import { countOf } from '../format.ts';
import { Icon } from './icon.tsx';

const AlertText = ({ alert }: { alert: Alert }) => (
  <>
    <strong>{alert.title}</strong>
    {alert.detail !== null && <span> {alert.detail}</span>}
    {alert.advice !== null && <span class="advice"> {alert.advice}</span>}
  </>
);

/** The gravest alert in full, the others behind one press: the pictures need the room. */
export const AlertList = ({ status }: { status: Status }) => {
  const [first, ...others] = alertsOf(status);
  if (first === undefined) return null;
  return (
    <section class={`banner banner-${first.severity}`} aria-label="Problems" data-testid="alerts">
      <Icon name="warning" />
      <div class="banner-text" role="status">
        <p>
          <AlertText alert={first} />
        </p>
        {others.length > 0 && (
          <details>
            <summary>{countOf(others.length, 'more problem')}</summary>
            <ul>
              {others.map((alert) => (
                <li key={alert.key}>
                  <AlertText alert={alert} />
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </section>
  );
};
