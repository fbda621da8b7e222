import { acceptBrokerSchema, mqttLinkSchema } from '../mqtt.ts';
import type { RouteDefinition } from '../route.ts';

/** Brokers that were found by `mqtt.url = "auto"`. The state of the link is in the status. */
export const mqttRoutes = {
  acceptBroker: {
    method: 'POST',
    path: '/api/mqtt/broker',
    access: ['owner'],
    summary: 'Accept the broker that was found: it gets the password, and its commands count',
    body: acceptBrokerSchema,
    status: 200,
    response: mqttLinkSchema,
  },
  forgetBrokers: {
    method: 'DELETE',
    path: '/api/mqtt/broker',
    access: ['owner'],
    summary: 'Forget every broker that was accepted; the next one found waits for being accepted',
    status: 204,
  },
} as const satisfies Record<string, RouteDefinition>;
