/** One message of a server-sent event stream. */
export interface SseMessage {
  /** Event name; `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
  /** Last id the stream set, empty before the first. */
  readonly id: string;
}

/**
 * Incremental parser of `text/event-stream` (WHATWG HTML, 9.2.6). Feed it decoded text in chunks of any size;
 * it answers with the messages each chunk completed. It never throws: what is no known field is ignored.
 */
export class SseParser {
  /** Reconnection time the server asked for, in milliseconds. */
  retryMs: number | null = null;
  #rest = '';
  #atStart = true;
  #event = '';
  #data: string[] = [];
  #id = '';

  push(chunk: string): SseMessage[] {
    if (this.#atStart && chunk.length > 0) {
      this.#atStart = false;
      this.#rest = chunk.startsWith('\uFEFF') ? chunk.slice(1) : chunk;
    } else {
      this.#rest += chunk;
    }
    const messages: SseMessage[] = [];
    for (;;) {
      const end = this.#rest.search(/[\r\n]/);
      if (end < 0) return messages;
      // A CR at the very end may be the first half of CRLF: wait for what follows.
      if (this.#rest[end] === '\r' && end === this.#rest.length - 1) return messages;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1));
      const message = this.#line(line);
      if (message !== null) messages.push(message);
    }
  }

  #line(line: string): SseMessage | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): SseMessage | null {
    const data = this.#data;
    const event = this.#event;
    this.#data = [];
    this.#event = '';
    if (data.length === 0) return null;
    return { event: event === '' ? 'message' : event, data: data.join('\n'), id: this.#id };
  }
}
