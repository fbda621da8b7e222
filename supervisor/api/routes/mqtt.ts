import type { ApiPorts } from '../../contract/ports.ts';
import type { RouteHandlers } from '../router.ts';

/** Brokers that were found and wait for the owner. */
export function mqttRoutes({ mqtt }: ApiPorts): Pick<RouteHandlers, 'acceptBroker' | 'forgetBrokers'> {
  return {
    acceptBroker: ({ body }) => mqtt.accept(body.id),
    forgetBrokers: async () => {
      await mqtt.forget();
      return undefined;
    },
  };
}
