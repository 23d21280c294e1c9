import Mustache from 'mustache';
import { language } from '../words/retell.ts';
import texts from './texts.json';

/** A text of a report, or a template of one, in the language that is spoken, where it has another than English. */
export const inWords = (text: string): string =>
  (language === 'zh' && texts.zh[text as keyof typeof texts.zh]) || text;

/** Lines of texts of src/report/texts.json, with what they stand for; empty ones are left out. */
export const fillIn = (texts: readonly string[], facts: object): string[] =>
  texts
    .flatMap((text) => Mustache.render(inWords(text), facts, {}, { escape: String }).split('\n'))
    .filter((line) => line.trim() !== '');
