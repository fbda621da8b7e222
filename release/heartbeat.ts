/** Says every half minute that a step goes on, for those whose programs are silent. Dispose of it when the step is over. */
export function heartbeat(
  what: string,
  say: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
  everyMs = 30_000,
): Disposable {
  const startedAt = performance.now();
  const timer = setInterval(() => say(stillAt(what, (performance.now() - startedAt) / 1000)), everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The line of a heartbeat. Pure. */
export function stillAt(what: string, seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = String(Math.floor(seconds % 60)).padStart(2, '0');
  return `   … ${minutes}:${rest} min, still at: ${what}`;
}
