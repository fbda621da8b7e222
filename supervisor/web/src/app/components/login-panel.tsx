import { useState } from 'preact/hooks';
import { ApiCallError } from '../api-client.ts';
import { BusyButton } from './busy-button.tsx';

/** Asks for the key, which is traded for a cookie that scripts cannot read, and kept nowhere else. */
export const LoginPanel = (props: { reason: string | null; login(token: string): Promise<void> }) => {
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const token = String(new FormData(form).get('token') ?? '').trim();
    if (token === '' || busy) return;
    setBusy(true);
    setError(null);
    try {
      await props.login(token);
    } catch (caught) {
      if (!(caught instanceof ApiCallError)) throw caught;
      setError(
        caught.code === 'UNAUTHORIZED'
          ? 'This appliance doesn’t know this key, or the key was revoked.'
          : caught.message,
      );
    } finally {
      setBusy(false);
    }
  };
  const shown = error ?? props.reason;
  return (
    <main class="panel-page">
      <form class="panel" onSubmit={submit} data-testid="login">
        <h1>Rushlight</h1>
        <p>
          Enter this appliance’s key. The appliance shows it on its screen at the first start, with a QR code.
          Scan the code to open this page without typing the key.
        </p>
        <label for="token">Key</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          autocapitalize="off"
          spellcheck={false}
          required
          aria-describedby="login-error"
        />
        <p id="login-error" class="form-error" role="alert">
          {shown}
        </p>
        <BusyButton type="submit" class="button button-main" busy={busy}>
          {busy ? 'Checking…' : 'Open'}
        </BusyButton>
        <p>
          <a href="/docs/operate/troubleshooting.html#the-page">Where do I find the key?</a>
        </p>
      </form>
    </main>
  );
};
