import { RushlightError } from './errors.ts';

/** Deeper than any real message. Code that recurses over the value needs no more stack than this. */
const maxDepth = 64;

/** A text from outside that is not JSON, or nested too deeply. */
export class JsonTextError extends RushlightError {
  readonly code = 'JSON_INVALID';
}

/**
 * Parses JSON from another machine. A hundred thousand brackets are few bytes, and V8 parses them, but code that recurses over
 * the value (a clone, a merge, a schema) would run out of stack. Throws JsonTextError.
 */
export function parseJsonText(text: string): unknown {
  if (isDeep(text)) throw new JsonTextError(`The JSON is nested more than ${maxDepth} deep.`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonTextError('This is not JSON.', { cause });
  }
}

/** The value of a text that may be anything; undefined, which no schema takes for a value, if {@link parseJsonText} throws. */
export function jsonIn(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

function isDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (inText) {
      if (char === backslash) at += 1;
      else if (char === quote) inText = false;
    } else if (char === quote) inText = true;
    else if (char === bracket || char === brace) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (char === bracket + 2 || char === brace + 2) depth -= 1;
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;
const bracket = 0x5b;
const brace = 0x7b;
