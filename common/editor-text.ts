/**
 * A text that somebody wrote on a PC: without the mark that some editors put before it, and also as UTF-16, which Windows calls
 * Unicode. Invalid text yields replacement characters; if `fatal` is set, it throws.
 */
export function editorText(bytes: Uint8Array, { fatal = false } = {}): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  return new TextDecoder(isLittle ? 'utf-16le' : isBig ? 'utf-16be' : 'utf-8', { fatal }).decode(bytes);
}
