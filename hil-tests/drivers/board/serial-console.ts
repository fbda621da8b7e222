import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { runTool } from '../../lib/run-tool.ts';
import { SerialLog } from '../qemu/serial-log.ts';

/** A serial adapter of the rig's machine. Reading begins with `open`; earlier output is lost, as with any adapter. */
export class SerialConsole implements AsyncDisposable {
  readonly log = new SerialLog(async (text) => {
    await this.#port?.write(text);
  });
  readonly #device: string;
  readonly #baud: number;
  #port: FileHandle | null = null;
  #reader: ReadStream | null = null;

  constructor(device: string, baud: number) {
    this.#device = device;
    this.#baud = baud;
  }

  /** Rejects with RIG_TOOL if the device is no terminal. */
  async open(): Promise<void> {
    await runTool(['stty', '-F', this.#device, String(this.#baud), 'raw', '-echo', '-crtscts', 'clocal']);
    this.#port = await open(this.#device, 'r+');
    this.#reader = createReadStream(this.#device, { encoding: 'utf8' });
    this.#reader.on('data', (chunk) => this.log.append(String(chunk)));
    // An adapter that is pulled ends the stream; the tests see a console that falls silent.
    this.#reader.on('error', (error) => this.log.mark(`the serial adapter failed: ${error.message}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader?.destroy();
    this.#reader = null;
    await this.#port?.close();
    this.#port = null;
  }
}
