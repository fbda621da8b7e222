import { z } from 'zod';

/** A broker that was found on the network. It gets nothing, and is not obeyed, before the owner has accepted it. */
export const foundBrokerSchema = z.object({
  id: z.string().describe('What it is accepted by; another broker has another one'),
  name: z.string(),
  host: z.string(),
  url: z.string(),
});

export const mqttLinkSchema = z
  .object({
    state: z.enum(['off', 'searching', 'connecting', 'connected', 'waiting']),
    broker: z.string().nullable(),
    protocol: z.enum(['5', '3.1.1']).nullable(),
    reason: z.string().nullable().describe('Why it is not connected'),
    found: foundBrokerSchema.nullable().describe('Waits for being accepted'),
  })
  .meta({ id: 'MqttLink' });

export const acceptBrokerSchema = z.strictObject({
  id: z.string().min(1).max(512).describe('`found.id` of the broker as it was shown'),
});

export type MqttLink = z.infer<typeof mqttLinkSchema>;
