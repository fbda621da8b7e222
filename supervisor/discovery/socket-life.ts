import type { WebSocket } from 'ws';

/** A machine on a LAN answers a ping within milliseconds, a busy one in a few hundred. */
const answerWithinMs = 800;

/** Checks whether the other end still answers. A machine whose cable was pulled closes nothing and says nothing. */
export async function answersPing(socket: WebSocket): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const alive = () => resolve(true);
  const dead = () => resolve(false);
  const late = setTimeout(dead, answerWithinMs);
  socket.once('pong', alive);
  socket.once('close', dead);
  try {
    socket.ping();
    return await promise;
  } finally {
    clearTimeout(late);
    socket.off('pong', alive);
    socket.off('close', dead);
  }
}
