import './styles/base.css';
import './styles/header.css';
import './styles/live.css';
import './styles/record.css';
import './styles/pages.css';
import './styles/cameras.css';
import './styles/update.css';
import { render } from 'preact';
import { ApiClient } from './app/api-client.ts';
import { AppController } from './app/app-controller.ts';
import { App } from './app/components/app.tsx';
import { tokenOfHash } from './app/page-route.ts';

/** The key of the QR code must not stay in the address, where it would be shared or saved. */
const takeToken = (): string | null => {
  const token = tokenOfHash(location.hash);
  if (token !== null) history.replaceState(null, '', `${location.pathname}#/`);
  return token;
};

const controller = new AppController(new ApiClient());
let running: AbortController | null = null;

const start = (token: string | null) => {
  if (running !== null) return;
  running = new AbortController();
  void controller.run(running.signal, token);
};

const stop = () => {
  running?.abort();
  running = null;
};

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
render(<App controller={controller} />, root);
start(takeToken());

// A page that is left ends its sessions; one that returns from the browser's cache starts again.
addEventListener('pagehide', stop);
addEventListener('pageshow', () => start(null));
// The link with the key, opened where the page is open already, loads nothing.
addEventListener('hashchange', () => {
  const token = takeToken();
  if (token === null) return;
  stop();
  start(token);
});
