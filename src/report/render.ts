import Mustache from 'mustache';
import { retell } from '../words/retell.ts';
import type { Incident } from './incident.ts';
import { plainValue } from './plain-text.ts';
import htmlTemplate from './report.html.mustache' with { type: 'text' };
import markdownTemplate from './report.md.mustache' with { type: 'text' };
import { durationText, timeline } from './timeline.ts';

/** Text that stands for itself in Markdown, in a cell of a table too. */
const escapeMarkdown = (text: unknown): string => String(text).replace(/[\\`*_{}[\]<>#|!&~$]/g, '\\$&');

/**
 * A report (docs/json.md, heal-node.report) as HTML, which needs nothing from elsewhere, or as Markdown: both tell the
 * same. All texts are escaped, as others may have written them.
 */
export function render(report: { readonly incident: Incident | undefined }, format: 'html' | 'md'): string {
  const { incident: found, ...rest } = plainValue(report);
  const incident = found && {
    ...found,
    summary: found.summary.map((text) => retell(text)),
    events: found.events.map((each) => ({ ...each, msg: retell(each.msg) })),
    steps: found.steps.map((each) => ({ ...each, did: each.did && retell(each.did) })),
  };
  const charts = incident && [
    { title: 'The incident', ...timeline([...incident.events, ...incident.whole]) },
    { title: 'The heal', ...timeline([...incident.steps, ...incident.shorter]) },
  ];
  const ms = () => (text: string, fill: (text: string) => string) => durationText(Number(fill(text)));
  const view = { ...rest, ms, incident: incident && { ...incident, charts } };
  if (format === 'html') return Mustache.render(htmlTemplate, view);
  return Mustache.render(markdownTemplate, view, {}, { escape: escapeMarkdown });
}
