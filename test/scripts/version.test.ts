import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../package.json';
import lock from '../../package-lock.json';

test('package, lock file and the newest release of the changelog have one version, and releases have dates', () => {
  const changelog = readFileSync(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8');
  const headings = [...changelog.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
  const releases = headings.filter((heading) => heading !== 'Unreleased');
  assert.match(releases[0] ?? '', new RegExp(`^${version.replaceAll('.', '\\.')} - \\d{4}-\\d\\d-\\d\\d$`));
  assert.ok(releases.every((heading) => /^\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d$/.test(heading)));
  assert.ok(headings.indexOf('Unreleased') <= 0, 'what comes next is on top');
  assert.equal([lock.version, lock.packages[''].version], [version, version]);
});

test.run();
