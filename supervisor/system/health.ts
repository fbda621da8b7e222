/** The state of a component or of the whole. */
export type HealthState = 'ok' | 'degraded' | 'failed';

/** One component's last report. */
export interface ComponentHealth {
  readonly name: string;
  readonly state: HealthState;
  readonly reason: string | null;
}

/** The health of the appliance at one moment. */
export interface HealthSnapshot {
  readonly state: HealthState;
  readonly components: readonly ComponentHealth[];
}

/** How a component counts. */
export interface ComponentOptions {
  /**
   * The appliance is useless without it: it decides about readiness, and its silence stops the feeding of the watchdog. A
   * component that is not core can at most degrade the whole.
   */
  readonly core: boolean;
  /** It must report at least this often. Without a limit, a report is valid until the next. */
  readonly deadlineMs?: number;
}

/** The handle with which a component reports. Disposing of it removes the component from the health. */
export interface HealthReporter extends Disposable {
  ok(): void;
  degraded(reason: string): void;
  failed(reason: string): void;
}

interface Component extends ComponentOptions {
  readonly name: string;
  readonly since: number;
  report: { readonly state: HealthState; readonly reason: string | null; readonly at: number } | undefined;
}

/** The health of the appliance, summed up from its components' reports. */
export class Health {
  readonly #now: () => number;
  readonly #components = new Map<string, Component>();
  readonly #listeners = new Set<(snapshot: HealthSnapshot) => void>();
  #reported = '';

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  register(name: string, options: ComponentOptions): HealthReporter {
    const component: Component = { name, ...options, since: this.#now(), report: undefined };
    this.#components.set(name, component);
    const report = (state: HealthState, reason: string | null) => {
      if (this.#components.get(name) !== component) return;
      component.report = { state, reason, at: this.#now() };
      this.#tell();
    };
    return {
      ok: () => report('ok', null),
      degraded: (reason) => report('degraded', reason),
      failed: (reason) => report('failed', reason),
      [Symbol.dispose]: () => {
        if (this.#components.get(name) !== component) return;
        this.#components.delete(name);
        this.#tell();
      },
    };
  }

  snapshot(): HealthSnapshot {
    const all = [...this.#components.values()];
    const components = all.map((component) => ({ name: component.name, ...this.#judge(component) }));
    const states = all.map((component) => {
      const { state } = this.#judge(component);
      return state === 'failed' && !component.core ? 'degraded' : state;
    });
    const state = states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok';
    return { state, components };
  }

  /** Whether every core component has reported, and none as failed. */
  get ready(): boolean {
    return [...this.#components.values()].every(
      (component) =>
        !component.core || (component.report !== undefined && this.#judge(component).state !== 'failed'),
    );
  }

  /**
   * The core components that missed their deadline. A component that reports a failure in time is not silent: it handles its
   * failure itself, and restarting everything would not be better.
   */
  get silent(): readonly string[] {
    return [...this.#components.values()]
      .filter((component) => component.core && this.#isLate(component))
      .map(({ name }) => name);
  }

  /** Calls back on each change of state or reason. */
  subscribe(listener: (snapshot: HealthSnapshot) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Looks for deadlines that have passed since the last report. */
  check(): void {
    this.#tell();
  }

  #judge(component: Component): { state: HealthState; reason: string | null } {
    if (this.#isLate(component)) {
      return { state: 'failed', reason: `silent for more than ${component.deadlineMs} ms` };
    }
    const { report } = component;
    return report === undefined
      ? { state: 'degraded', reason: 'starting' }
      : { state: report.state, reason: report.reason };
  }

  #isLate({ deadlineMs, report, since }: Component): boolean {
    return deadlineMs !== undefined && this.#now() - (report?.at ?? since) > deadlineMs;
  }

  #tell(): void {
    const snapshot = this.snapshot();
    const text = JSON.stringify(snapshot);
    if (text === this.#reported) return;
    this.#reported = text;
    for (const listener of this.#listeners) listener(snapshot);
  }
}
