import type { WebSocket } from 'ws';

/** A machine on a LAN answers a ping within milliseconds, one that works hard in a few hundred. */
const answerWithinMs = 800;

/** Whether somebody still answers at the other end. One whose cable was pulled closes nothing, and says nothing either. */
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
