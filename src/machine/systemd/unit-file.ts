import { parse } from 'ini';

/**
 * A unit's `EnvironmentFile=` lines, edited by line (systemd.exec(5), systemd.syntax(7)): nothing else in the
 * text is touched, so comments, order and odd spacing survive.
 */

/** A `-` before the path: a missing file is not an error. */
const LINE = /^([ \t]*EnvironmentFile[ \t]*=[ \t]*)(-?)(.*?)([ \t\r]*)$/;

/** Lines of the text that systemd reads as `EnvironmentFile=` of `[Service]`, with their place. */
function* environmentLines(lines: readonly string[]) {
  let section = '';
  let continued = false;
  for (const [index, line] of lines.entries()) {
    const comment = /^[ \t]*[#;]/.test(line);
    const wasContinued = continued;
    // systemd.syntax(7): a comment between continued lines does not end the continuation.
    if (!comment) continued = /\\\r?$/.test(line);
    if (comment || wasContinued) continue;
    section = /^[ \t]*\[(.*)\][ \t\r]*$/.exec(line)?.[1] ?? section;
    const match = section === 'Service' ? LINE.exec(line) : null;
    if (match === null) continue;
    const place = `line ${index + 1}, "${line.trim()}"`;
    if (continued) throw new Error(`${place}: a continued EnvironmentFile= line is not understood.`);
    const [, before = '', dash = '', path = '', after = ''] = match;
    yield { index, before, dash, path, after };
  }
}

/** systemd takes `/a//b` as `/a/b`. */
const plainPath = (path: string): string => path.replace(/\/+/g, '/');

/** The environment files that a unit's text names, in order; an empty assignment empties the list. */
export function environmentFiles(text: string): string[] {
  const paths = [...environmentLines(text.split('\n'))].map(({ path }) => plainPath(path));
  return paths.slice(paths.lastIndexOf('') + 1);
}

/**
 * The unit's text with every `EnvironmentFile=` that names `from` naming `to` instead.
 * @returns the text, and how many lines were changed.
 * @throws when such a line is continued with a backslash, or when a second reader sees more changed than that.
 */
export function pointEnvironmentFile(text: string, from: string, to: string) {
  const lines = text.split('\n');
  let changed = 0;
  for (const { index, before, dash, path, after } of environmentLines(lines)) {
    if (plainPath(path) !== plainPath(from)) continue;
    lines[index] = `${before}${dash}${to}${after}`;
    changed++;
  }
  const edited = lines.join('\n');
  if (restOf(edited) !== restOf(text))
    throw new Error(`the edit from ${from} to ${to} would change more than that`);
  return { text: edited, changed };
}

/** A second reader's view of a unit without its environment files, so that an edit can be seen to touch no more. */
function restOf(text: string): string {
  const { Service, ...sections } = parse(text, { bracketedArray: false }) as Record<string, object>;
  return JSON.stringify({ ...sections, Service: { ...Service, EnvironmentFile: undefined } });
}
