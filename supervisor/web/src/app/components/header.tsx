import type { Status } from '../../../../contract/index.ts';
import { type PageRoute, toHash } from '../page-route.ts';
import { pageNames } from '../page-title.ts';
import { Icon, type IconName } from './icon.tsx';

const Tab = (props: { to: PageRoute; current: boolean; icon: IconName }) => (
  <a class="tab" href={toHash(props.to)} aria-current={props.current ? 'page' : undefined}>
    <Icon name={props.icon} />
    <span>{pageNames[props.to.page]}</span>
  </a>
);

const Flame = () => (
  <svg class="flame" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M16 3c4 5 6.500 8.300 6.500 12.100A6.500 6.500 0 0 1 16 21.600a6.500 6.500 0 0 1-6.500-6.500C9.500 11.300 12 8 16 3z" />
    <path class="wick" d="M14.300 23.500h3.400V30h-3.400z" />
  </svg>
);

/** Name, role, health and navigation. */
export const Header = ({ status, route }: { status: Status; route: PageRoute }) => {
  const { device } = status;
  return (
    <header class="header">
      <div class="brand">
        <Flame />
        <div class="brand-text">
          <h1>{device.name}</h1>
          <p>
            <span class="badge" title={device.roleReason}>
              {device.role === 'hub' ? 'Hub' : 'Camera'}
            </span>
            {device.simulation && (
              <span class="badge badge-note" title="Runs on this machine, without a board">
                Simulation
              </span>
            )}
          </p>
        </div>
      </div>
      <nav class="tabs" aria-label="Pages">
        <Tab to={{ page: 'live', feed: null }} current={route.page === 'live'} icon="live" />
        <Tab to={{ page: 'takes' }} current={route.page === 'takes'} icon="takes" />
        <Tab to={{ page: 'cameras' }} current={route.page === 'cameras'} icon="camera" />
        <Tab to={{ page: 'system' }} current={route.page === 'system'} icon="system" />
      </nav>
    </header>
  );
};
