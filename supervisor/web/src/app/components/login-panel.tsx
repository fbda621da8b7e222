import { useState } from 'preact/hooks';
import { ApiError } from '../api-client.ts';

/** Asks for the key. It is traded for a cookie that scripts cannot read, and kept nowhere else. */
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
      if (!(caught instanceof ApiError)) throw caught;
      setError(
        caught.code === 'UNAUTHORIZED' ? 'This key is not known here, or was revoked.' : caught.message,
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
          This appliance asks for a key. You find it on the appliance's console, and in the QR code shown at
          the first start. Scanning the code opens this page with the key filled in.
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
        <button type="submit" class="button button-main" disabled={busy}>
          {busy ? 'Checking…' : 'Open'}
        </button>
      </form>
    </main>
  );
};
