// Sends HTTP requests from where it runs, such as a network namespace: one JSON line in, one out.
import { createInterface } from 'node:readline';

interface Request {
  readonly id: number;
  readonly url: string;
  readonly init: RequestInit;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, url, init }: Request = JSON.parse(line);
  void answer(url, init).then((result) => process.stdout.write(`${JSON.stringify({ id, ...result })}\n`));
}

async function answer(url: string, init: RequestInit) {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: String(error instanceof Error ? (error.cause ?? error) : error) };
  }
}
