import { parseArgs } from 'node:util';

/**
 * The rows of a table that the words of its command ask for (`--only TEXT`, again and again), and where the page is to
 * be written; or the exit code with which it ends at once, as for `--help`, `--list`, and where no row is asked for.
 */
export function askedRows<R>(usage: string, rows: readonly R[], titleOf: (row: R) => string) {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      markdown: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const asked = rows.filter((row) => values.only?.some((text) => titleOf(row).includes(text)) ?? true);
  if (values.help || values.list) {
    console.log(values.help ? usage : asked.map(titleOf).join('\n'));
    return 0;
  }
  if (asked.length === 0) {
    console.error(`no row has any of these in its title: ${values.only?.join(', ')}`);
    return 2;
  }
  return { asked, markdown: values.markdown };
}
