import type { ConfigErrorEntry, HostStatus, Status } from '../../../contract/index.ts';
import { formatBytes, formatOffset, formatSpan } from './format.ts';

/** Something the user should know or do. */
export interface Alert {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly detail: string | null;
  /** What to do next. */
  readonly advice: string | null;
}

const roomAdvice = 'Download finished takes and delete them (Takes), or use a larger disk.';
/** A component in words, if its name alone says too little. */
const healthTitles: Readonly<Record<string, string>> = {
  data: 'Settings aren’t being saved to the SD card',
  http: 'The page isn’t served as the settings say',
  keys: 'The key file was damaged',
  name: 'The network knows this machine under another name',
  mqtt: 'No connection to the MQTT broker',
  media: 'Live video has a problem',
  masters: 'Recording has a problem',
  cameras: 'The cameras of this machine have a problem',
};

/** One frame at 25 a second: from here on the same timecode of two cameras names different frames. */
const longFrameMs = 40;

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const ofConfigError = (file: string, error: ConfigErrorEntry, index: number): Alert => {
  const name = file.split('/').at(-1) ?? file;
  // The message may say itself what was expected, and name the key.
  const said = error.expected === null || error.message.includes(error.expected);
  const expected = said ? '' : ` Expected: ${sentence(error.expected ?? '')}`;
  const named = error.nearest !== null && error.message.includes(error.nearest);
  const nearest = error.nearest === null || named ? '' : ` Did you mean “${error.nearest}”?`;
  return {
    key: `config-${index}`,
    severity: 'error',
    title: `${name}, line ${error.line}${error.key === '' ? '' : `: ${error.key}`}`,
    detail: `${sentence(error.message)}${expected}${nearest}`,
    advice: `Correct ${file} and save it. Until then the last good configuration stays in force.`,
  };
};

const ofPower = (power: NonNullable<HostStatus['power']>): Alert[] => {
  const supply = 'Use the supply made for this board, and a short cable.';
  if (power.underVoltageNow) {
    return [
      {
        key: 'power',
        severity: 'error',
        title: 'The power supply is too weak',
        detail: null,
        advice: supply,
      },
    ];
  }
  if (power.throttledNow) {
    const advice = 'Let air reach the board, or add a cooler.';
    return [
      { key: 'power', severity: 'warning', title: 'The board has slowed itself down', detail: null, advice },
    ];
  }
  if (power.underVoltageSinceBoot) {
    const title = 'The voltage has been too low since the start';
    return [{ key: 'power', severity: 'warning', title, detail: null, advice: supply }];
  }
  return [];
};

const ofHost = (host: HostStatus): Alert[] => {
  const alerts = host.power === null ? [] : ofPower(host.power);
  if (host.temperatureC !== null && host.temperatureC >= 80) {
    alerts.push({
      key: 'temperature',
      severity: host.temperatureC >= 85 ? 'error' : 'warning',
      title: `The board is hot: ${Math.round(host.temperatureC)} °C`,
      detail: 'It slows down from 80 °C on.',
      advice: 'Let air reach it, or add a cooler.',
    });
  }
  for (const disk of host.disks) {
    if (disk.silentS !== undefined) {
      alerts.push({
        key: `silent-${disk.mount}`,
        severity: 'error',
        title: `Disk ${disk.label} does not answer`,
        detail: `It has been silent for ${formatSpan(disk.silentS)}. What reached it is kept.`,
        advice: 'Check its plug and its power. The next take goes to another disk, if there is one.',
      });
      continue;
    }
    const share = disk.totalBytes > 0 ? disk.freeBytes / disk.totalBytes : 1;
    if (share < 0.1) {
      alerts.push({
        key: `disk-${disk.mount}`,
        severity: share < 0.03 ? 'error' : 'warning',
        title: `Disk ${disk.label} is almost full`,
        detail: `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} are free.`,
        advice: roomAdvice,
      });
    }
    if (disk.wearPercent !== null && disk.wearPercent >= 90) {
      alerts.push({
        key: `wear-${disk.mount}`,
        severity: 'warning',
        title: `Disk ${disk.label} is worn out`,
        detail: `${Math.round(disk.wearPercent)} % of its rated life is used.`,
        advice: 'Replace it before the next shooting day.',
      });
    }
  }
  return alerts;
};

/**
 * The appliance calculates with the most that its cameras can take, so this is the least room there is. Before the first take
 * that is no reason for alarm, unless only minutes are left.
 */
export const isRoomLow = ({ remainingS, take }: Pick<Status['recording'], 'remainingS' | 'take'>): boolean =>
  remainingS !== null && remainingS < (take === null ? 300 : 1800);

const ofRecording = ({ recording }: Status): Alert[] => {
  const { remainingS } = recording;
  if (remainingS === null || !isRoomLow(recording)) return [];
  return [
    {
      key: 'remaining',
      severity: remainingS < 300 ? 'error' : 'warning',
      title: `Room for at least ${formatSpan(remainingS)} of recording`,
      detail: null,
      advice: roomAdvice,
    },
  ];
};

const ofLinks = ({ hub, cameras, host }: Status): Alert[] => {
  const alerts: Alert[] = [];
  if (hub !== null && hub.state !== 'connected') {
    const named = hub.name ?? hub.url;
    alerts.push({
      key: 'hub',
      severity: hub.state === 'refused' ? 'error' : 'warning',
      title: named === null ? 'No hub found' : `Not connected to the hub ${named}`,
      detail: hub.reason,
      advice:
        named === null
          ? 'Switch a hub on in this network, or name it as camera.hub in rushlight.toml.'
          : null,
    });
  }
  for (const camera of cameras.filter(({ online }) => !online)) {
    alerts.push({
      key: `camera-${camera.id}`,
      severity: 'warning',
      title: `Camera ${camera.name} is not connected`,
      detail: `Its last address was ${camera.address}.`,
      advice: 'Check its power and its network.',
    });
  }
  for (const camera of cameras.filter(({ online }) => online)) {
    const offsetMs = camera.clockOffsetMs ?? 0;
    if (Math.abs(offsetMs) - (camera.clockUncertaintyMs ?? 0) < longFrameMs) continue;
    alerts.push({
      key: `camera-clock-${camera.id}`,
      severity: 'warning',
      title: `The clock of ${camera.name} is ${formatOffset(offsetMs, null)}`,
      detail: 'Its timecode does not match that of the other cameras.',
      advice: 'It follows this hub by itself; wait with the next take until this is gone.',
    });
  }
  if (host.clock.synced === false) {
    alerts.push({
      key: 'clock',
      severity: 'warning',
      title: 'The clock is not synchronised',
      detail: 'Timecodes of several cameras may not match.',
      advice: null,
    });
  }
  return alerts;
};

const ofHealth = ({ health, mqtt }: Status): Alert[] =>
  health.components
    .filter(({ state }) => state !== 'ok')
    // A broker that waits for acceptance has a banner with its own button.
    .filter(({ name }) => name !== 'mqtt' || !mqtt?.found)
    .map(({ name, state, reason }) => ({
      key: `health-${name}`,
      severity: state === 'failed' ? ('error' as const) : ('warning' as const),
      title: healthTitles[name] ?? `${name}: ${state}`,
      detail: reason,
      advice: null,
    }));

const ofOutputs = ({ outputs }: Status): Alert[] =>
  outputs
    .filter(({ state }) => state === 'failed')
    .map(({ id, label, reason }) => ({
      key: `output-${id}`,
      severity: 'warning',
      title: `Output ${label} isn’t sending`,
      detail: reason,
      advice: null,
    }));

/** Everything the user should know or do, the most serious first. Each cause appears once. */
export const alertsOf = (status: Status): Alert[] => {
  const specific = [
    ...status.config.errors.map((error, index) => ofConfigError(status.config.file, error, index)),
    ...ofHost(status.host),
    // A camera without its hub films for no one; little room is a matter of time.
    ...ofLinks(status),
    ...ofRecording(status),
    ...ofOutputs(status),
  ];
  const shown = new Set(specific.map(({ key }) => key.split('-')[0]));
  const health = ofHealth(status).filter(({ key }) => !shown.has(key.slice('health-'.length)));
  const rank = ({ severity }: Alert) => (severity === 'error' ? 0 : 1);
  return [...specific, ...health].toSorted((a, b) => rank(a) - rank(b));
};
