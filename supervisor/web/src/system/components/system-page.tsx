import type { Status } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { Action, CarefulAction } from '../../app/components/action.tsx';
import { Card, Fact, Words } from '../../app/components/parts.tsx';
import { formatBitrate, formatBytes, formatOffset, formatSpan } from '../../app/format.ts';
import { conducts } from '../rollout-words.ts';
import { RolloutCard } from './rollout-card.tsx';
import { UpdateCard } from './update-card.tsx';

const DeviceCard = ({ status: { device, config } }: { status: Status }) => (
  <Card title="This appliance">
    <dl>
      <Fact name="Name">{device.name}</Fact>
      <Fact name="Role">
        {device.role}
        <span class="fact-note">{device.roleReason}</span>
      </Fact>
      <Fact name="Board">{device.model}</Fact>
      <Fact name="Serial">{device.serial ?? '–'}</Fact>
      <Fact name="Version">{device.version}</Fact>
      <Fact name="Running for">{formatSpan(device.uptimeS)}</Fact>
      <Fact name="Settings file">
        <Words>{config.file}</Words>
      </Fact>
      <Fact name="Manual">
        <a href="/docs/">Read it on this appliance</a>
        <span class="fact-note">works without the internet</span>
      </Fact>
    </dl>
  </Card>
);

const HubCard = (props: { hub: NonNullable<Status['hub']>; controller: AppController }) => {
  const { hub, controller } = props;
  return (
    <Card title="Hub">
      <div class="row" data-state={hub.state}>
        <div class="row-head">
          <strong>{hub.name ?? 'No hub known'}</strong>
          <span class="pill" data-state={hub.state === 'connected' ? 'running' : hub.state}>
            {hub.state}
          </span>
        </div>
        {hub.reason !== null && <p class="row-reason">{hub.reason}</p>}
        {hub.url !== null && <a href={hub.url}>{hub.url}</a>}
      </div>
      {hub.id !== null && (
        <div class="actions">
          <CarefulAction
            danger
            text="Forget this hub"
            doing="Forgetting…"
            warning="This camera stops sending its picture until a hub adopts it again, and you confirm that hub on this page."
            act={() => controller.forgetHub()}
          />
        </div>
      )}
    </Card>
  );
};

const HealthCard = ({ health }: { health: Status['health'] }) => (
  <Card title="Health">
    <ul class="rows">
      {health.components.map(({ name, state, reason }) => (
        <li class="row" key={name} data-state={state}>
          <div class="row-head">
            <strong>{name}</strong>
            <span class="pill" data-state={state}>
              {state}
            </span>
          </div>
          {reason !== null && <p class="row-reason">{reason}</p>}
        </li>
      ))}
    </ul>
  </Card>
);

const HostCard = ({ host, masters }: Pick<Status, 'host' | 'masters'>) => (
  <Card title="Board and network">
    <dl>
      <Fact name="Processor">{Math.round(host.cpuLoadPercent)} %</Fact>
      <Fact name="Temperature">
        {host.temperatureC === null ? '–' : `${Math.round(host.temperatureC)} °C`}
      </Fact>
      <Fact name="Memory">
        {formatBytes(host.memoryUsedBytes)} of {formatBytes(host.memoryTotalBytes)}
      </Fact>
      {host.disks.map((disk) => (
        <Fact key={disk.mount} name={`Disk ${disk.label}`}>
          {disk.silentS === undefined
            ? `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}`
            : `Has not answered for ${formatSpan(disk.silentS)}`}
        </Fact>
      ))}
      <Fact name="Masters">
        <Words>{masters.folder}</Words>
        <span class="fact-note">{masters.reason}</span>
      </Fact>
      {host.network.map((network) => (
        <Fact key={network.name} name={network.name}>
          {network.addresses.join(', ') || 'no address'}
          <span class="fact-note">
            {formatBitrate(network.rxKbps)} in, {formatBitrate(network.txKbps)} out
            {network.wifiSignalDbm !== null && `, ${network.wifiSignalDbm} dBm`}
          </span>
        </Fact>
      ))}
      <Fact name="Clock">
        {host.clock.synced === null ? 'not known' : host.clock.synced ? 'synchronised' : 'not synchronised'}
        {host.clock.offsetMs !== null && (
          <span class="fact-note">{formatOffset(host.clock.offsetMs, null)}</span>
        )}
      </Fact>
    </dl>
  </Card>
);

const resetWarning =
  'This erases its Wi-Fi, everything set on this page, all keys, names and adoptions, and every take that is not on an SSD. rushlight.toml and the SSD stay. It starts with a new key, which its screen shows.';

const PowerCard = ({ controller }: { controller: AppController }) => (
  <Card title="Power">
    <div class="actions">
      <Action text="Blink its light" doing="Blinking…" act={() => controller.system('identify')} />
      <CarefulAction
        text="Restart"
        doing="Restarting…"
        keep="Let it run"
        warning="Its pictures stop for a minute or two."
        act={() => controller.system('restart')}
      />
      <CarefulAction
        text="Shut down"
        doing="Shutting down…"
        keep="Let it run"
        warning="To start it again, unplug its power and plug it back in."
        act={() => controller.system('shutdown')}
      />
      <CarefulAction
        danger
        text="Reset to factory settings"
        doing="Resetting…"
        warning={resetWarning}
        act={() => controller.system('factory-reset')}
      />
    </div>
  </Card>
);

/** For a browser that is lent or shared: the key is dropped, and the page asks for one again. */
const SessionCard = ({ logout }: { logout(): Promise<void> }) => (
  <Card title="This browser">
    <p class="row-note">This browser remembers the key to this appliance.</p>
    <button type="button" class="button" data-testid="logout" onClick={() => void logout()}>
      Forget the key
    </button>
  </Card>
);

/** The machine: its figures, its update, and its actions. */
export const SystemPage = ({ status, controller }: { status: Status; controller: AppController }) => (
  <div class="page" data-testid="system">
    <h2>System</h2>
    <div class="cards">
      {status.hub !== null && <HubCard hub={status.hub} controller={controller} />}
      <DeviceCard status={status} />
      {status.rollout !== null && conducts(status) && (
        <RolloutCard rollout={status.rollout} conduct={(action) => controller.rollout(action)} />
      )}
      <UpdateCard
        update={status.update}
        conducts={conducts(status)}
        act={(action) => controller.update(action)}
      />
      <HealthCard health={status.health} />
      <HostCard host={status.host} masters={status.masters} />
      {!status.device.simulation && <PowerCard controller={controller} />}
      {!status.device.simulation && <SessionCard logout={() => controller.logout()} />}
    </div>
  </div>
);
