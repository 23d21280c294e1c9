import { type Job, PARTS } from './jobs.ts';
import { MOST } from './lanes.ts';

export interface Options {
  readonly only: readonly string[];
  readonly without: readonly string[];
  /** How many scenarios are under way at the same time; undefined: as many as the machine bears. */
  readonly lanes: number | undefined;
  /** Writes down how long each job took, for the next runs to begin the longest first. */
  readonly remember: boolean;
}

export const USAGE = `usage: npm test -- [--only WORD…] [--without WORD…] [--lanes N] [--remember]
A WORD is a part (${PARTS.join(', ')}), a folder below test/, or a part of a test file's path.`;

/** Whether a word means a job: its part, a folder on its path, or some of its path. */
const means = (word: string, job: Job): boolean => job.part === word || job.title.includes(word);

/** @throws Error with one line for the person who typed it */
export function parseOptions(words: readonly string[], jobs: readonly Job[]): Options {
  const only: string[] = [];
  const without: string[] = [];
  let lanes: number | undefined;
  let remember = false;
  let into: string[] | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--only' || word === '--without') {
      into = word === '--only' ? only : without;
      if (words[i + 1] === undefined || words[i + 1]?.startsWith('--'))
        throw new Error(`${word} must be followed by a word.`);
    } else if (word === '--remember') {
      remember = true;
    } else if (word === '--lanes') {
      lanes = Number(words[++i]);
      if (!(Number.isInteger(lanes) && lanes >= 1 && lanes <= MOST))
        throw new Error(`--lanes ${words[i]} is not allowed; allowed is a whole number from 1 to ${MOST}.`);
    } else if (into === undefined || word.startsWith('--')) {
      throw new Error(`${word} is not understood.`);
    } else if (!jobs.some((job) => means(word, job))) {
      throw new Error(`${word} is no part, folder or file of the tests.`);
    } else {
      into.push(word);
    }
  }
  return { only, without, lanes, remember };
}

/** The jobs that were asked for, and before tests the build, whose executable they run, unless it is left out. */
export function chosen(jobs: readonly Job[], { only, without }: Options): Job[] {
  const isLeftOut = (job: Job) => without.some((word) => means(word, job));
  const isAsked = (job: Job) => only.length === 0 || only.some((word) => means(word, job));
  const kept = jobs.filter((job) => isAsked(job) && !isLeftOut(job));
  const needsBuild = kept.some(({ part }) => part === 'unit' || part === 'machines');
  const build = jobs.filter((job) => job.part === 'build' && !kept.includes(job) && !isLeftOut(job));
  return needsBuild ? [...build, ...kept] : kept;
}
