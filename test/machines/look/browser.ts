/** Debian's chromium, without a window: what it makes of a page. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sh } from '../bed/sh.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Installs the browser where it is missing. @throws where it cannot be */
export async function installBrowser(): Promise<void> {
  if (existsSync(CHROMIUM)) return;
  if (process.getuid?.() !== 0)
    throw new Error('chromium is missing: apt-get install chromium fonts-dejavu-core');
  console.log('Installing chromium …');
  await sh('apt-get', '-qq', 'update');
  await sh(
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    'install',
    '-y',
    '--no-install-recommends',
    'chromium',
    'fonts-dejavu-core',
    'fonts-noto-cjk',
  );
}

/** Runs it on a file, in a profile of its own. @returns what it prints */
async function chromium(path: string, ...flags: readonly string[]): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'heal-node-look-'));
  try {
    const always = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--user-data-dir=${profile}`,
    ];
    return await sh('timeout', '60', CHROMIUM, ...always, ...flags, `file://${path}`);
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

const DARK = '--blink-settings=preferredColorScheme=0';

/** Pictures of a page, light and dark and as it is printed, beside it. */
export async function pictures(path: string, height: number): Promise<void> {
  const size = `--window-size=1000,${height}`;
  await chromium(path, size, `--screenshot=${path.replace('.html', '.png')}`);
  await chromium(path, size, DARK, `--screenshot=${path.replace('.html', '-dark.png')}`);
  await chromium(path, '--no-pdf-header-footer', `--print-to-pdf=${path.replace('.html', '.pdf')}`);
}

/** What is drawn, as the browser has laid it out. */
interface Layout {
  /** Height of the page, and by how much something is wider than the window. */
  readonly height: number;
  readonly tooWide: number;
  /** Pairs of labels of the drawings that overlap, and labels that are smaller than can be read. */
  readonly overlaps: readonly string[];
  readonly small: readonly string[];
  /** Bars and marks that are drawn. */
  readonly drawn: number;
  readonly headings: readonly string[];
  /** What the page would have run by itself, had it been let. */
  readonly ran: string;
}

const MEASURE = `
const labels = [...document.querySelectorAll('svg text')].map((e) => [e.textContent, e.getBoundingClientRect()]);
const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
const overlaps = labels.flatMap(([a, x], i) => labels.slice(i + 1).filter(([, y]) => meet(x, y)).map(([b]) => a + ' / ' + b));
const drawn = [...document.querySelectorAll('svg .bar, svg .mark')].filter((e) => e.getBoundingClientRect().height > 3).length;
const small = labels.filter(([, x]) => x.height < 11 || x.width < 3).map(([a]) => a);
const root = document.documentElement;
const said = { height: root.scrollHeight, tooWide: root.scrollWidth - innerWidth, overlaps, small, drawn, headings: [...document.querySelectorAll('h1, h2')].map((e) => e.textContent), ran: document.title };
document.body.textContent = 'MEASURED' + JSON.stringify(said) + 'MEASURED';
`;

/** Lays a page out in a window so wide, and measures it. */
export async function layoutOf(path: string, width: number): Promise<Layout> {
  // A copy that may run what measures it; the page itself may run nothing.
  const copy = path.replace('.html', '.measured.html');
  const html = readFileSync(path, 'utf8').replace(/<meta http-equiv[^>]*>/, '');
  writeFileSync(copy, html.replace('</body>', `<script>${MEASURE}</script></body>`));
  const dom = await chromium(copy, `--window-size=${width},900`, '--dump-dom');
  rmSync(copy);
  const [, said = ''] = dom.split('MEASURED');
  return JSON.parse(said.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
}

/** The title that a page has after a script in it has tried to change it. */
export async function titleAfterScript(path: string): Promise<string> {
  const copy = path.replace('.html', '.script.html');
  writeFileSync(
    copy,
    readFileSync(path, 'utf8').replace('</body>', '<script>document.title = "ran"</script></body>'),
  );
  const dom = await chromium(copy, '--dump-dom');
  rmSync(copy);
  return /<title>([^<]*)<\/title>/.exec(dom)?.[1] ?? '';
}
