/** What a terminal or a browser takes for more than text: control characters, and those that turn the direction of a line. */
const NOT_TEXT = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What may stand in a text that others wrote, such as a line of etcd's log, and is nobody else's business. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs, '(private key)'],
  [/(\/\/[^\s:@/]+):[^\s@/]+@/g, '$1:(hidden)@'],
  [/((?:password|passwd|secret)["']?\s*[=:]\s*["']?|(?:ETCDCTL_USER|--user)[= ])[^\s"',;]+/gi, '$1(hidden)'],
];

/** A text as one line that is safe to print, without secrets. Others may have written it: a journal, a log, a history. */
export const plainText = (text: string): string =>
  SECRETS.reduce((rest, [secret, instead]) => rest.replace(secret, instead), text).replace(
    NOT_TEXT,
    (char) => (char === '\n' || char === '\t' ? ' ' : `\\u{${char.codePointAt(0)?.toString(16)}}`),
  );

/** The same of every text in a value that JSON can hold. */
export const plainValue = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (_, inner) => (typeof inner === 'string' ? plainText(inner) : inner));
