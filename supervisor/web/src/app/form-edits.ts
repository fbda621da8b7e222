import { RushlightError } from '../../../../common/errors.ts';

/** Someone else changed what the user changed, too. `message` can be shown to the user. */
export class OvertakenError extends RushlightError {
  readonly code = 'OVERTAKEN';
}

/** What a user changes in a form. Others may change the same settings while it is open. */
export class FormEdits<Fields extends Readonly<Record<keyof Fields, string>>> {
  #shown: Fields;
  readonly #names: Readonly<Record<keyof Fields, string>>;

  /** `shown` is what the form shows at first, `names` what its fields are called in a sentence. */
  constructor(shown: Fields, names: Readonly<Record<keyof Fields, string>>) {
    this.#shown = shown;
    this.#names = names;
  }

  /**
   * The user's changes on top of what is set now: fields that the user left alone stay as they are.
   * @throws OvertakenError if a field was changed by both; the next time the user's value replaces the one that was named
   */
  onTopOf(now: Fields, form: Fields): Fields {
    const fields = Object.keys(form) as (keyof Fields)[];
    const mine = fields.filter((field) => form[field] !== this.#shown[field]);
    const overtaken = mine.filter((field) => ![this.#shown[field], form[field]].includes(now[field]));
    if (overtaken.length === 0) return { ...now, ...only(form, mine) };
    this.#shown = { ...this.#shown, ...only(now, overtaken) };
    const values = overtaken.map((field) => `the ${this.#names[field]} is now “${now[field]}”`);
    throw new OvertakenError(
      `Not saved: someone else changed it meanwhile, and ${values.join(', ')}. Save again to replace that.`,
    );
  }
}

const only = <Fields extends object>(all: Fields, names: readonly (keyof Fields)[]): Partial<Fields> =>
  Object.fromEntries(names.map((name) => [name, all[name]])) as Partial<Fields>;
