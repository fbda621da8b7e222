import { z } from 'zod';

/**
 * A broker that was found on the network. The appliance sends it nothing and obeys none of its messages until the owner accepts
 * it.
 */
export const foundBrokerSchema = z.object({
  id: z.string().describe('What identifies it when you accept it; another broker has another one'),
  name: z.string(),
  host: z.string(),
  url: z.string(),
});

/** The state of the link to the MQTT broker. */
export const mqttLinkSchema = z
  .object({
    state: z.enum(['off', 'searching', 'connecting', 'connected', 'waiting']),
    broker: z.string().nullable(),
    protocol: z.enum(['5', '3.1.1']).nullable(),
    reason: z.string().nullable().describe('Why it is not connected'),
    found: foundBrokerSchema.nullable().describe('Waits to be accepted'),
  })
  .meta({ id: 'MqttLink' });

/** Body of `POST /api/mqtt/broker`: the broker that the owner accepts. */
export const acceptBrokerSchema = z.strictObject({
  id: z.string().min(1).max(512).describe('`found.id` of the broker, as shown'),
});

/** See {@link mqttLinkSchema}. */
export type MqttLink = z.infer<typeof mqttLinkSchema>;
