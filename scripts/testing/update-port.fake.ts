import type { Updater } from '../../ota/updater/updater.ts';
import type { UpdatePort } from '../../supervisor/updates/update-status.ts';

/** The updater that runs on a simulated machine now, which is another one after each restart. */
export function updatePort(current: () => Updater | null): UpdatePort {
  const updater = (): Updater => {
    const found = current();
    if (found === null) throw new Error('the machine is off');
    return found;
  };
  return {
    status: () => updater().status(),
    check: () => updater().check(),
    install: (request) => updater().install(request),
    rollback: () => updater().rollback(),
    installBundle: async (bundle) => updater().installBundle(bundle),
    cancel: () => updater().cancel(),
    settled: () => updater().settled,
    get offers() {
      return updater();
    },
    run: async () => {},
  };
}
