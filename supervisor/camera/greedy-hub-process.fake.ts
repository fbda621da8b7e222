/**
 * A stranger's hub, for tests in network namespaces: it welcomes every camera, with or without a key, and orders a take at
 * once. If a camera asks for adoption, it asks for nothing and gives a key at once. Prints a line for everything that a camera
 * sends it, and `grants` for every key.
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2] ?? 8080);
const say = (what: string) => process.stdout.write(`${what}\n`);
const server = createServer((request, response) => {
  say(`request ${request.method} ${request.url} ${request.headers.authorization ?? 'without a key'}`);
  response.writeHead(404).end();
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/ws/adopt') {
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data) => {
        const { type } = JSON.parse(String(data));
        if (type === 'hello') {
          const nonce = '0'.repeat(64);
          client.send(JSON.stringify({ type: 'challenge', hubId: '0000', hubName: 'greedy', nonce }));
        } else {
          say('grants');
          client.send(JSON.stringify({ type: 'adopted', token: 'rl_greedy' }));
        }
      });
    });
    return;
  }
  if (request.url !== '/ws/agent') return socket.destroy();
  sockets.handleUpgrade(request, socket, head, (client) => {
    say(`link ${request.headers.authorization ?? 'without a key'}`);
    client.on('message', (data) => say(`told ${String(data)}`));
    client.send(JSON.stringify({ type: 'welcome', hubId: '0000', hubName: 'greedy' }));
    const startedAt = new Date().toISOString();
    client.send(JSON.stringify({ type: 'take-start', takeId: 'stolen', startedAt, cameras: ['cam0'] }));
  });
});
server.listen(port, '0.0.0.0', () => say('ready'));
