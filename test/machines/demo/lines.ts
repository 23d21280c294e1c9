/** Lines of the demo and the bench: plain without a terminal, with a little weight on one. */
const terminal = process.stdout.isTTY === true && !process.env.NO_COLOR;
const wrap = (code: number) => (text: string) => (terminal ? `\x1b[${code}m${text}\x1b[0m` : text);

export const dim = wrap(2);
const bold = wrap(1);
export const say = (line: string): void => console.log(line);
export const head = (line: string): void => console.log(`\n${bold(line)}`);
