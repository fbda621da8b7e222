import { z } from 'zod';
import { parseJsonText } from '../../common/json-text.ts';
import { firstFault } from '../config/expected.ts';
import {
  adjustSchema,
  rolloutStartSchema,
  slugSchema,
  systemActionSchema,
  takeStartSchema,
  tallySchema,
  updateInstallSchema,
} from '../contract/index.ts';
import { CommandRefusedError } from './errors.ts';

const recordingSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('ON'), ...takeStartSchema.unwrap().shape }),
  z.strictObject({ state: z.literal('OFF'), ...takeStartSchema.unwrap().shape }),
]);

const rolloutSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('start'), ...rolloutStartSchema.unwrap().shape }),
  z.strictObject({ action: z.enum(['pause', 'resume', 'cancel']) }),
]);

/**
 * Every command: its schema, which is the API's own if the API has it, and the short words that Home Assistant and people send
 * instead of JSON.
 */
const commands = {
  role: {
    schema: z.strictObject({ role: z.enum(['hub', 'camera', 'auto']) }),
    fromWord: (role: string): unknown => ({ role }),
  },
  recording: { schema: recordingSchema, fromWord: (state: string): unknown => ({ state }) },
  tally: { schema: tallySchema, fromWord: (state: string): unknown => ({ state }) },
  adjust: { schema: adjustSchema, fromWord: noWord },
  snapshot: { schema: z.strictObject({ feed: slugSchema }), fromWord: (feed: string): unknown => ({ feed }) },
  identify: { schema: z.strictObject({}), fromWord: onlyWord('PRESS') },
  restart: { schema: systemActionSchema, fromWord: onlyWord('PRESS') },
  shutdown: { schema: systemActionSchema, fromWord: onlyWord('PRESS') },
  rollback: { schema: z.strictObject({}), fromWord: onlyWord('PRESS') },
  update: { schema: updateInstallSchema, fromWord: onlyWord('install') },
  cameraupdate: {
    schema: z.strictObject({ camera: z.string().min(1).max(64) }),
    fromWord: (camera: string): unknown => ({ camera }),
  },
  rollout: { schema: rolloutSchema, fromWord: (action: string): unknown => ({ action }) },
} as const;

/** Name of a command, as in `rushlight/<device>/<command>/set`. */
export type CommandName = keyof typeof commands;
/** All names. */
export const commandNames = Object.keys(commands) as readonly CommandName[];

/** A command that can be carried out. */
export type Command = {
  [Name in CommandName]: { readonly name: Name; readonly value: z.output<(typeof commands)[Name]['schema']> };
}[CommandName];

/** Largest payload of a command, in bytes. */
export const longestCommandBytes = 16 * 1024;

/**
 * Reads a command's payload: a JSON object as the API takes it, or a word.
 * @throws CommandRefusedError with what was expected.
 */
export function parseCommand(name: string, payload: Buffer): Command {
  if (!isCommandName(name)) {
    throw new CommandRefusedError('COMMAND_UNKNOWN', `no such command; there are ${commandNames.join(', ')}`);
  }
  const { schema, fromWord } = commands[name];
  const text = decode(payload).trim();
  const input = text.startsWith('{') ? parseJson(text) : fromWord(text);
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new CommandRefusedError('COMMAND_INVALID', firstFault(parsed.error), parsed.error);
  }
  return { name, value: parsed.data } as Command;
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

function noWord(): never {
  throw new CommandRefusedError('COMMAND_INVALID', 'expected a JSON object');
}

function onlyWord(word: string): (text: string) => unknown {
  return (text) => {
    if (text === word) return {};
    throw new CommandRefusedError('COMMAND_INVALID', `expected ${word} or a JSON object`);
  };
}

function decode(payload: Buffer): string {
  if (payload.length > longestCommandBytes) {
    throw new CommandRefusedError('COMMAND_TOO_LARGE', `more than ${longestCommandBytes} bytes`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch (cause) {
    throw new CommandRefusedError('COMMAND_NOT_TEXT', 'the payload is not UTF-8 text', cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw new CommandRefusedError('COMMAND_INVALID', 'the payload is not JSON', cause);
  }
}
