/** The choices of a story as part of a token's body: one sign each while they are small. */

/** Choices are whole numbers from 0 to here. */
export const HIGHEST_CHOICE = 36 * 36 - 1;
/** More of them would not fit a token. */
export const MOST_CHOICES = 1800;

const WIDE = '_';

/** `0` to `z`; from 36 on `_` and two digits, all of base 36. Throws a RangeError for what is no choice. */
export function writeChoices(choices: readonly number[]): string {
  return choices
    .map((choice) => {
      if (!Number.isInteger(choice) || choice < 0 || choice > HIGHEST_CHOICE) throw new RangeError(`choice ${choice}`);
      return choice < 36 ? choice.toString(36) : `${WIDE}${choice.toString(36).padStart(2, '0')}`;
    })
    .join('');
}

/** Total: undefined for what `writeChoices` does not write. */
export function readChoices(text: string): number[] | undefined {
  const choices: number[] = [];
  for (let at = 0; at < text.length; ) {
    const found = /^(?:[0-9a-z]|_[0-9a-z]{2})/.exec(text.slice(at, at + 3))?.[0];
    if (found === undefined) return undefined;
    const choice = Number.parseInt(found.replace(WIDE, ''), 36);
    // Every choice has one spelling.
    if (found.length > 1 && choice < 36) return undefined;
    choices.push(choice);
    at += found.length;
  }
  return choices.length > MOST_CHOICES ? undefined : choices;
}
