import type { Output, SourceStatus, Status, TakeCamera } from '../contract/index.ts';

/** The status for a terminal: what matters first, problems never hidden. */
export function statusText(status: Status): string {
  const { device, host, health, config, feeds, outputs, sources, cameras, hub, recording, masters } = status;
  const lines = [
    `${device.name}  ${device.role} (${device.roleReason})  version ${device.version}${device.simulation ? '  simulation' : ''}`,
    `up ${duration(device.uptimeS)}  cpu ${host.cpuLoadPercent.toFixed(0)} %${temperature(host.temperatureC)}  ${health.state}`,
    ...health.components
      .filter((component) => component.state !== 'ok')
      .map(({ name, state, reason }) => `  ! ${name} ${state}: ${reason ?? 'no reason given'}`),
    ...config.errors.map(({ line, key, message }) => `  ! ${config.file}:${line} ${key}: ${message}`),
  ];
  if (hub !== null)
    lines.push(`hub: ${hub.state} ${hub.name ?? ''} ${hub.url ?? ''} ${hub.reason ?? ''}`.trimEnd());
  lines.push('', `feeds: ${feeds.length === 0 ? 'none' : ''}`);
  for (const feed of feeds) {
    const size =
      feed.width === null ? '' : `  ${feed.width}x${feed.height} ${feed.fps?.toFixed(1) ?? '?'} fps`;
    lines.push(
      `  ${feed.id}  ${feed.state}${size}  ${feed.bitrateKbps.toFixed(0)} kbit/s  ${feed.viewers.length} viewers`,
    );
  }
  lines.push(...sources.map((source) => sourceText(source, '')));
  lines.push(...outputs.map(outputText));
  for (const camera of cameras) {
    lines.push(
      `camera ${camera.name}  ${camera.online ? 'online' : 'OFFLINE'}  ${camera.address}  ${camera.recording}`,
    );
    lines.push(...camera.sources.map((source) => sourceText(source, '  ')));
  }
  lines.push('', `recording: ${recording.state}${remaining(recording.remainingS)}`);
  lines.push(`masters: ${masters.folder}  (${masters.reason})`);
  for (const camera of recording.take?.cameras ?? []) lines.push(`  ${masterText(camera)}`);
  return `${lines.join('\n')}\n`;
}

function outputText({ id, feed, server, state, bitrateKbps, reason }: Output): string {
  const rate = state === 'live' ? `  ${bitrateKbps.toFixed(0)} kbit/s` : '';
  return `output ${id}  ${feed} to ${server}  ${state}${rate}${reason === null ? '' : `  (${reason})`}`;
}

function sourceText(source: SourceStatus, indent: string): string {
  const encoder = source.encoder === null ? '' : `  ${source.encoder.name}`;
  const reason = source.reason === null ? '' : `  (${source.reason})`;
  return `${indent}source ${source.id}  ${source.kind}  ${source.state}${encoder}  restarts ${source.restarts}${reason}`;
}

function masterText(camera: TakeCamera): string {
  const where = camera.device === null ? '' : ` on ${camera.device}`;
  const reason = camera.reason === null ? '' : `  (${camera.reason})`;
  return `${camera.camera}${where}  ${camera.state}  ${camera.frames} frames, ${camera.droppedFrames} dropped${reason}`;
}

function remaining(seconds: number | null): string {
  return seconds === null ? '' : `  (room for ${duration(seconds)})`;
}

function temperature(celsius: number | null): string {
  return celsius === null ? '' : `  ${celsius.toFixed(0)} °C`;
}

/** `1 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min ${s} s` : `${s} s`;
}
