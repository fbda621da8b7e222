/** The one snapshot that page, MQTT, Prometheus and the command line show. */

export { targetKbps } from './adjustables.ts';
export { StatusBoard } from './status-board.ts';
export { composeStatus, configErrors } from './status-composer.ts';
