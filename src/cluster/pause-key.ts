import { attempt } from '../machine/attempt.ts';

/** While it is there no heal is begun on any node. Its value is the sentence that says who, until when and why. */
export const PAUSE_KEY = 'heal-node/pause';

/** A sentence as it stands in etcd: one word, which etcdctl takes as it is. */
export const asWord = (text: string): string => encodeURIComponent(text).replaceAll("'", '%27');

/** The same back. Whatever a client has put there counts, in one line: the key is there. */
export const fromWord = (word: string): string =>
  (attempt(() => decodeURIComponent(word)) ?? word).replace(/\p{C}/gu, ' ').slice(0, 500);
