/** `earwitness case review` and `case answer`: technical reviews of a case, and answers to their remarks. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { reviewChecklist } from '../../src-common/review-checklist.ts';
import type { CheckOutcome, ReviewCheck } from '../../src-common/schemas/report.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { withCase, writeHead } from './case-session.ts';
import { positiveInteger } from './context.ts';

interface ReviewOptions {
  reviewer: string;
  role?: string;
  qualification: string;
  remarks: string;
  report?: string;
  template?: string;
  met?: number[];
  notMet?: Noted[];
  notApplicable?: Noted[];
}

/** A point of the checklist by its number, with what is to be said of it. */
interface Noted {
  number: number;
  note: string;
}

export function registerReviews(command: Command): void {
  const points = reviewChecklist.map((point, index) => `  ${index + 1}  ${point}`).join('\n');
  command
    .command('review')
    .description("Note a technical reviewer's sign-off in the custody log; the next report shows it.")
    .argument('<dir>', "the case's folder")
    .requiredOption('--reviewer <name>', 'who reviewed it: not its examiner')
    .option('--role <text>', 'of the reviewer (default: Technical reviewer)')
    .option('--qualification <text>', 'what qualifies the reviewer', '')
    .option('--remarks <text>', 'what the reviewer remarks', '')
    .option('--report <number>', 'an issued report that was reviewed (default: the case as it stands)')
    .option('--met <n,n>', 'points of the checklist that hold, by their numbers', numbers)
    .option('--not-met <n: note>', 'a point that does not, and why; may be repeated', noted)
    .option('--not-applicable <n: note>', 'a point that does not matter here; may be repeated', noted)
    .option('--template <file.json>', "the laboratory's template, whose checklist it is")
    .addHelpText(
      'after',
      `
The checklist, unless the template has one of its own (of what is not named, the report says that it was not checked):
${points}

Example:
  earwitness case review cases/2026-014 --reviewer "R. Eviewer" --met 1,2,4 --not-met "3: departure not stated" --remarks "State it."`,
    )
    .action(async (folder: string, options: ReviewOptions) => {
      const { reviewer: name, qualification, remarks, role, report: number = null } = options;
      const checks = await checksOf(options);
      const review = {
        ...{ reviewer: name, qualification, remarks, report: number },
        ...(role ? { role } : {}),
        ...checks,
      };
      await withCase(folder, async (store) => {
        const { reviewer, report, rows, position } = store.reviews.add(review);
        const of = report === null ? `the case as of row ${rows}` : `the report ${report}`;
        process.stdout.write(visibleName(`${reviewer} signed off ${of}: row ${position}.`) + '\n');
        writeHead(store);
      });
    });

  command
    .command('answer')
    .description("Note in the custody log how a technical reviewer's remarks were answered; the next report shows it.")
    .argument('<dir>', "the case's folder")
    .requiredOption('--review <row>', 'row of the log that the review is', positiveInteger)
    .requiredOption('--by <name>', 'who answers')
    .requiredOption('--answer <text>', 'what was done, or why nothing was')
    .action(async (folder: string, options: { review: number; by: string; answer: string }) => {
      await withCase(folder, async (store) => {
        const { reviewer, position, answers = [] } = store.reviews.answer(options);
        const row = answers.at(-1)?.position;
        process.stdout.write(visibleName(`Answered the review of ${reviewer} in row ${position}: row ${row}.`) + '\n');
        writeHead(store);
      });
    });
}

function numbers(text: string): number[] {
  return text.split(',').map((part) => positiveInteger(part.trim()));
}

function noted(text: string, before: Noted[] | undefined): Noted[] {
  const { number = '', note = '' } = /^\s*(?<number>\d+)\s*(?::\s*(?<note>.*))?$/s.exec(text)?.groups ?? {};
  if (number === '') throw new InvalidArgumentError('It is the number of a point, a colon and a note: “3: why”.');
  return [...(before ?? []), { number: positiveInteger(number), note: note.trim() }];
}

/** What was checked; nothing where no point and no template was named. @throws UserFacingError `usage`, `template`, `not-found` */
async function checksOf(options: ReviewOptions): Promise<{ checks?: ReviewCheck[] }> {
  const { met = [], notMet = [], notApplicable = [], template } = options;
  const said = new Map<number, { outcome: CheckOutcome; note: string }>();
  const say = (outcome: CheckOutcome, points: readonly Noted[]): void => {
    for (const { number, note } of points) {
      if (said.has(number)) throw new UserFacingError('usage', `Point ${number} is named twice.`);
      said.set(number, { outcome, note });
    }
  };
  say(
    'met',
    met.map((number) => ({ number, note: '' })),
  );
  say('not-met', notMet);
  say('not-applicable', notApplicable);
  if (said.size === 0 && template === undefined) return {};
  const points = template === undefined ? reviewChecklist : await checklistOf(template);
  const beyond = [...said.keys()].find((number) => number > points.length);
  if (beyond !== undefined) {
    throw new UserFacingError('usage', `The checklist has no point ${beyond}: it has ${points.length}.`);
  }
  return {
    checks: points.map((point, index) => ({
      point,
      ...(said.get(index + 1) ?? { outcome: 'not-checked' as const, note: '' }),
    })),
  };
}

async function checklistOf(template: string): Promise<readonly string[]> {
  const { readTemplate } = await import('../reports/template-store.ts');
  return (await readTemplate(template)).reviewChecklist ?? reviewChecklist;
}
