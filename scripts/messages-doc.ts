/** `docs/messages.md`, from the catalogue; `npm run docs` writes it, and a test compares it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { healSteps } from '../src/plan/heal-steps.ts';
import catalogue from '../src/words/catalogue.json';
import { wordsOf } from '../src/words/words.ts';

export const DOC = join(import.meta.dirname, '../docs/messages.md');

export interface MessageRow {
  readonly code: string;
  /** What says it: a reason, a guard, a step, or nothing where it is a sentence of a command. */
  readonly of: string;
  readonly en: string;
  readonly zh: string;
}

const withAdvice = (means: string, advice: string): string => (advice ? `${means}. → ${advice}` : means);
const stepOf = (en: string): string => {
  const step = healSteps.find(({ what }) => what === en);
  return step ? `step ${step.id}` : '';
};

/** Every message of the catalogue, in the order of the codes. */
export const messages: readonly MessageRow[] = [
  ...Object.keys(catalogue.reasons).map((reason) => {
    const [en, zh] = [wordsOf(reason), wordsOf(reason, 'zh')];
    return {
      code: en.code,
      of: reason,
      en: withAdvice(en.means, en.advice),
      zh: withAdvice(zh.means, zh.advice).replace('. → ', '。→ '),
    };
  }),
  ...Object.entries(catalogue.guards).map(([id, row]) => ({ ...row, of: `guard ${id}` })),
  ...Object.entries(catalogue.doctor).flatMap(([id, { asks, finds }]) =>
    [asks, finds].map((row) => ({ ...row, of: `doctor ${id}` })),
  ),
  ...Object.entries(catalogue.sentences as Record<string, { code: string; zh: string }>).map(([en, row]) => ({
    ...row,
    of: stepOf(en),
    en,
  })),
].sort((a, b) => (a.code < b.code ? -1 : 1));

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const messagesDoc = (): string => `# Messages · 消息

Made from \`src/words/catalogue.json\` by \`npm run docs\`; a test compares it. A code keeps its meaning for good. After the
arrow: what to do. \`{0}\`, \`{1}\` stand for names, IDs, paths and other messages. \`HEAL_LANG\`, or the locale, chooses the
language; the log's file and \`--json\` are English.

| codes · 代码 | messages · 消息 |
| --- | --- |
| HN-1xx | reasons of a diagnosis · 诊断结论的原因 |
| HN-2xx, HN-7xx | guards, and why they refuse · 前置检查，以及拒绝执行的原因 |
| HN-3xx | steps, and what they did · 步骤，以及所做的事 |
| HN-4xx, HN-5xx | commands; \`doctor\` · 命令；\`doctor\` |
| HN-6xx | how a heal goes and ends · 自愈的进展和结果 |
| HN-8xx | hooks: health check, health action, start, stop, gate · 脚本：健康检查、动作脚本、启动、停止、启动检查 |
| HN-9xx | settings, usage, connections · 设置、用法、连接 |

由 \`npm run docs\` 根据 \`src/words/catalogue.json\` 生成。代码的含义不会改变。箭头之后是您需要做的事。\`{0}\`、\`{1}\` 代表名称、ID、路径和其他消息。
语言由 \`HEAL_LANG\` 或系统区域设置决定；日志文件和 \`--json\` 使用英文。

| code · 代码 | of · 来源 | English | 中文 |
| --- | --- | --- | --- |
${messages.map(({ code, of, en, zh }) => `| ${code} | ${of && `\`${of}\``} | ${cell(en)} | ${cell(zh)} |`).join('\n')}

## Evidence · 依据

Lines of \`heal-node diagnose\` and of a report, which have no code; lines of etcd's log stay as they are.
\`heal-node diagnose\` 和报告中的依据没有代码；etcd 的日志保持原文。

| English | 中文 |
| --- | --- |
${Object.entries(catalogue.evidence)
  .map((both) => `| ${both.map(cell).join(' | ')} |`)
  .join('\n')}
`;

if (import.meta.main) writeFileSync(DOC, messagesDoc());
