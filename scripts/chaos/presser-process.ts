// Publishes to the broker of this machine, as Home Assistant does: one JSON line in, one out. See json-agent.ts.
import { connect } from 'mqtt';
import { z } from 'zod';
import { answerRequests } from './json-agent.ts';

const requestSchema = z.object({ topic: z.string(), payload: z.string() });
const client = connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  protocolVersion: 5,
  reconnectPeriod: 200,
});
// The run kills the broker on purpose.
client.on('error', (error) => process.stderr.write(`${error.message}\n`));

await answerRequests(async (request) => {
  const { topic, payload } = requestSchema.parse(request);
  if (!client.connected) return 'no broker';
  client.publish(topic, payload, { qos: 0 });
  return 'sent';
});
