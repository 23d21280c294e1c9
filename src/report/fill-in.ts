import Mustache from 'mustache';

/** Lines of texts of src/report/texts.json, with what they stand for; empty ones are left out. */
export const fillIn = (texts: readonly string[], facts: object): string[] =>
  texts
    .flatMap((text) => Mustache.render(text, facts, {}, { escape: String }).split('\n'))
    .filter((line) => line.trim() !== '');
