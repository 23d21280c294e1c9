import Mustache from 'mustache';
import type { diagnose } from '../diagnose/diagnose.ts';
import { retell, tell, tellEvidence } from '../words/retell.ts';
import { inWords } from './fill-in.ts';
import type { Incident } from './incident.ts';
import { plainValue } from './plain-text.ts';
import htmlTemplate from './report.html.mustache' with { type: 'text' };
import markdownTemplate from './report.md.mustache' with { type: 'text' };
import { durationText, timeline } from './timeline.ts';

/** Text that stands for itself in Markdown, in a cell of a table too. */
const escapeMarkdown = (text: unknown): string => String(text).replace(/[\\`*_{}[\]<>#|!&~$]/g, '\\$&');

type ReportFacts = { readonly incident: Incident | undefined; readonly now: ReturnType<typeof diagnose> };

/**
 * A report (docs/json.md, heal-node.report) as HTML, which needs nothing from elsewhere, or as Markdown: both tell the
 * same, in the language that is spoken. All texts are escaped, as others may have written them.
 */
export function render(report: ReportFacts, format: 'html' | 'md'): string {
  const { incident: found, now, ...rest } = plainValue(report);
  const incident = found && {
    ...found,
    ended: tell(found.outcome ?? ''),
    summary: found.summary.map((text) => retell(text)),
    evidence: found.evidence.map(tellEvidence),
    events: found.events.map((each) => ({ ...each, msg: retell(each.msg) })),
    steps: found.steps.map((each) => ({ ...each, did: each.did && retell(each.did) })),
    commands: found.commands.map((each) => ({ ...each, result: inWords(tell(each.result)) })),
    log: found.log.map((line) => tell(line)),
  };
  const charts = incident && [
    { title: inWords('The incident'), ...timeline([...incident.events, ...incident.whole]) },
    { title: inWords('The heal'), ...timeline([...incident.steps, ...incident.shorter]) },
  ];
  const said = { name: tell(now.verdict), means: tell(now.means), advice: tell(now.advice) };
  const shown = { ...now, ...said, evidence: now.evidence.map(tellEvidence) };
  const ms = () => (text: string, fill: (text: string) => string) => durationText(Number(fill(text)));
  const say = () => (text: string, fill: (text: string) => string) => fill(inWords(text));
  const view = { ...rest, ms, say, now: shown, incident: incident && { ...incident, charts } };
  if (format === 'html') return Mustache.render(htmlTemplate, view);
  return Mustache.render(markdownTemplate, view, {}, { escape: escapeMarkdown });
}
