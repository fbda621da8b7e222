/** What is wired to the machine: jumper, button, lights and screen. */

export { GpioPanel } from './gpio-panel.ts';
export { displayState } from './state-display.ts';
