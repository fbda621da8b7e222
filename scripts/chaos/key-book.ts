import type { Machine } from '../testing/machine.ts';
import type { Report } from './report.ts';

interface Entry {
  readonly id: string;
  readonly token: string;
  state: 'kept' | 'revoked' | 'unknown';
}

/** Makes and revokes keys of the hub, and remembers which of them may open it. */
export class KeyBook {
  readonly #machine: Machine;
  readonly #report: Report;
  readonly #entries: Entry[] = [];
  #viewer: string | null = null;

  constructor(machine: Machine, report: Report) {
    this.#machine = machine;
    this.#report = report;
  }

  /** A key that a hostile viewer has. */
  get viewerToken(): string {
    return this.#viewer ?? '';
  }

  async prepare(): Promise<void> {
    const { token } = await this.#machine.ask<{ token: string }>('POST', '/api/keys', {
      role: 'viewer',
      subject: 'a hostile viewer',
    });
    this.#viewer = token;
  }

  /** All of it at once. */
  async churn(create: number, revoke: number): Promise<string> {
    const old = this.#entries.filter(({ state }) => state === 'kept').slice(0, revoke);
    const [made, gone] = await Promise.all([
      Promise.all(Array.from({ length: create }, (_, index) => this.#create(index))),
      Promise.all(old.map((entry) => this.#revoke(entry))),
    ]);
    const [madeCount, goneCount] = [made, gone].map((answers) => answers.filter((ok) => ok).length);
    this.#report.count('keys', 'created', madeCount);
    this.#report.count('keys', 'revoked', goneCount);
    return `${madeCount} created, ${goneCount} revoked`;
  }

  /** Tries every key: valid ones must open, revoked ones must not. */
  async check(): Promise<void> {
    for (const { id, token, state } of this.#entries) {
      if (state === 'unknown') continue;
      const { status, text } = await this.#machine.askAs(token, 'GET', '/api/status');
      if (state === 'revoked' && status !== 401) {
        this.#report.fault(`key ${id} was revoked, and is answered ${status}`);
      }
      if (state === 'kept' && status !== 200) {
        this.#report.fault(`key ${id} was not revoked, and is answered ${status} ${text.slice(0, 200)}`);
      }
      this.#report.count('keys', `${state} and tried`);
    }
  }

  async #create(index: number): Promise<boolean> {
    const role = (['viewer', 'operator', 'owner'] as const)[index % 3];
    try {
      const { id, token } = await this.#machine.ask<{ id: string; token: string }>('POST', '/api/keys', {
        role,
        subject: `chaos ${index}`,
      });
      this.#entries.push({ id, token, state: 'kept' });
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #revoke(entry: Entry): Promise<boolean> {
    // Without an answer nothing is known.
    entry.state = 'unknown';
    try {
      await this.#machine.ask('DELETE', `/api/keys/${entry.id}`);
      entry.state = 'revoked';
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): boolean {
    const text = String(error);
    if (/: 500 /.test(text)) this.#report.fault(`keys: ${text.slice(0, 300)}`);
    this.#report.count('keys', 'not answered');
    return false;
  }
}
