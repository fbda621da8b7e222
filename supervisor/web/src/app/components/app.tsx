import { useEffect } from 'preact/hooks';
import { CamerasPage } from '../../cameras/components/cameras-page.tsx';
import { awayFeeds } from '../../live/away-feeds.ts';
import { LivePage } from '../../live/components/live-page.tsx';
import { PicturesBanner } from '../../live/components/pictures-banner.tsx';
import { SystemPage } from '../../system/components/system-page.tsx';
import { RecordBar } from '../../takes/components/record-bar.tsx';
import { TakesPage } from '../../takes/components/takes-page.tsx';
import type { AppController } from '../app-controller.ts';
import { titleOf } from '../page-title.ts';
import { useRoute } from '../use-route.ts';
import { useStore } from '../use-store.ts';
import { AdoptionBanners } from './adoption-banners.tsx';
import { AlertList } from './alert-list.tsx';
import { BrokerBanner } from './broker-banner.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { DeviceBanners } from './device-banners.tsx';
import { Header } from './header.tsx';
import { LoginPanel } from './login-panel.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { WaitingPanel } from './waiting-panel.tsx';

/** Short messages appear whatever is shown, also to a user without a key. */
export const App = ({ controller }: { controller: AppController }) => (
  <>
    <Pages controller={controller} />
    <NoticeBar notice={controller.notice} />
  </>
);

const Pages = ({ controller }: { controller: AppController }) => {
  const state = useStore(controller.state);
  const route = useRoute();
  const { link, status } = state;
  const recording = status?.recording.state === 'recording';
  const title = titleOf(route, status);
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (link.kind === 'locked') {
    return <LoginPanel reason={link.reason} login={(token) => controller.login(token)} />;
  }
  if (status === null) return <WaitingPanel link={link} />;
  const stale = link.kind === 'lost';
  return (
    <div class="app" data-page={route.page} data-stale={stale}>
      <Header status={status} route={route} />
      <div class="messages">
        <ConnectionBanner link={link} pageVersion={state.pageVersion} version={status.device.version} />
        <AdoptionBanners
          status={status}
          adopt={(camera) => controller.adopt(camera)}
          confirmHub={(code) => controller.confirmHub(code)}
        />
        {status.mqtt?.found && (
          <BrokerBanner found={status.mqtt.found} accept={(id) => controller.acceptBroker(id)} />
        )}
        {/* The page of the cameras shows them itself; during a take nothing pushes the pictures aside. */}
        {route.page !== 'cameras' && !recording && (
          <DeviceBanners devices={state.devices} use={(id, use) => controller.useDevice(id, use)} />
        )}
        <PicturesBanner notice={controller.players.notice} hidden={route.page !== 'live'} />
        <AlertList status={status} />
      </div>
      <main class="content">
        {/* The live page stays mounted, so that a look at the takes does not end the pictures. */}
        <LivePage
          hidden={route.page !== 'live'}
          selected={route.page === 'live' ? route.feed : null}
          status={status}
          fresh={!stale}
          devices={state.devices}
          away={awayFeeds(state.unplugged)}
          controller={controller}
        />
        {route.page === 'takes' && <TakesPage takes={state.takes} status={status} controller={controller} />}
        {route.page === 'cameras' && (
          <CamerasPage
            status={status}
            devices={state.devices}
            unplugged={state.unplugged}
            clockOffsetMs={state.clockOffsetMs}
            configEdition={state.configEdition}
            controller={controller}
          />
        )}
        {route.page === 'system' && <SystemPage status={status} controller={controller} />}
      </main>
      <RecordBar status={status} stale={stale} clockOffsetMs={state.clockOffsetMs} controller={controller} />
    </div>
  );
};
