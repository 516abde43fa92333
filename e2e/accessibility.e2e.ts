/**
 * Every view and dialog in both themes: axe-core finds nothing against WCAG 2.2 A and AA. Pictures of each are taken where they are
 * asked for. In the browser alone, since no host has a part in it; what the journeys in both hosts come by is looked at there, too.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alarmSentences } from '../src-common/alarms.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { evaluationTexts, robustnessTexts, trainingTexts } from '../src-common/plots/texts.ts';
import { evaluate } from '../src-renderer/texts/evaluate.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { models } from '../src-renderer/texts/models.ts';
import { settings } from '../src-renderer/texts/settings.ts';
import { train } from '../src-renderer/texts/train.ts';
import { connectTo, jobDone } from './engine-client.ts';
import { violations } from './axe.ts';
import type { Violation } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { HostOptions, RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture, pictures } from './pictures.ts';
import { labelledClips, names, writeDataset, writeEvidence, writeTestSet } from './recordings.ts';

const themes = ['light', 'dark'] as const;
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
/** Where one picture of each is enough. */
const [small] = sizes;

interface Look {
  name: string;
  /** A whole view is drawn in every size. */
  view?: true;
  show: (workstation: Workstation) => Promise<void>;
  /** Back to where the next one begins. */
  leave?: (workstation: Workstation) => Promise<void>;
}

const escape = (workstation: Workstation): Promise<void> => workstation.page.keyboard.press('Escape');
const canvasDrawn = async (workstation: Workstation, label: RegExp | string): Promise<void> => {
  const picture = workstation.page.getByRole('img', { name: label }).first();
  await picture.waitFor();
  const canvas = picture
    .locator('canvas')
    .or(picture.and(workstation.page.locator('canvas')))
    .first();
  await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(2);
};
/** In the narrow window panes are folded until someone unfolds them. */
const unfold = async (workstation: Workstation, pane: Locator, label: string): Promise<void> => {
  if ((await pane.count()) === 0) await workstation.button(label).click();
  await pane.waitFor();
};
const unfoldInspector = (workstation: Workstation): Promise<void> =>
  unfold(
    workstation,
    workstation.page.getByRole('region', { name: examine.inspector.label }),
    examine.toolbar.inspector,
  );
const inEvidence = async (workstation: Workstation): Promise<void> => {
  await workstation.goTo('cases');
  await workstation.tab(cases.tabs.evidence).click();
  await workstation.recordings.getByRole('row', { name: names.conversation }).click();
};
const tab =
  (name: keyof typeof cases.tabs, grid?: string) =>
  async (workstation: Workstation): Promise<void> => {
    await workstation.goTo('cases');
    await workstation.tab(cases.tabs[name]).click();
    if (grid !== undefined) {
      await workstation.page.getByRole('grid', { name: grid }).getByRole('row').nth(1).waitFor();
    }
  };
const evaluationTab =
  (name: keyof typeof evaluate.page.tabs, title?: string) =>
  async (workstation: Workstation): Promise<void> => {
    await workstation.goTo('evaluate');
    await workstation.page.getByRole('navigation', { name: evaluate.list }).getByRole('listitem').first().click();
    await workstation.tab(evaluate.page.tabs[name]).click();
    if (title !== undefined) await canvasDrawn(workstation, title);
  };

/** One of the model through degradations, which was made first. */
const robustnessTab =
  (name: keyof typeof evaluate.robustness.tabs, title?: string) =>
  async (workstation: Workstation): Promise<void> => {
    await workstation.goTo('evaluate');
    await workstation.page.getByRole('navigation', { name: evaluate.list }).getByRole('listitem').last().click();
    await workstation.tab(evaluate.robustness.tabs[name]).click();
    if (title !== undefined) await canvasDrawn(workstation, title);
  };

const firstLooks: Look[] = [
  { name: 'first-cases', show: (workstation) => workstation.says(cases.first) },
  {
    name: 'first-examine',
    show: async (workstation) => {
      await workstation.goTo('examine');
      await workstation.says(examine.noCase);
    },
  },
  {
    name: 'first-train',
    show: async (workstation) => {
      await workstation.goTo('train');
      await workstation.says(train.empty);
    },
  },
  {
    name: 'first-evaluate',
    show: async (workstation) => {
      await workstation.goTo('evaluate');
      await workstation.says(evaluate.empty);
    },
  },
];

const looks: Look[] = [
  { name: 'cases-evidence', view: true, show: inEvidence },
  {
    name: 'findings-menu',
    show: (workstation) => workstation.button(cases.evidence.findings).click(),
    leave: escape,
  },
  {
    name: 'row-menu',
    show: async (workstation) => {
      await workstation.recordings.getByRole('row', { name: names.conversation }).click({ button: 'right' });
      await workstation.menuItem(cases.evidence.copyName).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-add',
    show: (workstation) => workstation.button(common.topBar.addFiles).click(),
  },
  {
    name: 'dialog-files',
    show: async (workstation) => {
      await workstation.button(cases.intake.addFiles).click();
      await workstation.page.getByLabel(common.files.path, { exact: true }).waitFor();
      await workstation.page.getByRole('dialog').last().getByRole('row').nth(1).waitFor();
    },
    leave: async (workstation) => {
      await escape(workstation);
      await workstation.dialog(cases.intake.title).waitFor();
      await escape(workstation);
    },
  },
  {
    name: 'dialog-scan',
    show: async (workstation) => {
      await workstation.button(cases.evidence.scanMore).click();
      await workstation.menuItem(cases.evidence.scanWith).click();
      await workstation.dialog(cases.scan.title).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-item',
    show: async (workstation) => {
      await workstation.button(cases.evidence.item).click();
      await workstation.page.getByRole('dialog').getByText(cases.item.sha256, { exact: true }).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-remove',
    show: async (workstation) => {
      await workstation.button(cases.evidence.remove).click();
      await workstation.page.getByRole('dialog').waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-report',
    show: async (workstation) => {
      await workstation.button(common.topBar.report).click();
      await workstation.dialog(cases.report.title).getByLabel(cases.report.amends, { exact: true }).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-draft',
    show: async (workstation) => {
      await workstation.button(common.topBar.report).click();
      await workstation.button(cases.report.draft, workstation.dialog(cases.report.title)).click();
      const preview = workstation.dialog(cases.report.preview.title);
      await preview.locator('canvas[data-drawn]').first().waitFor(patience);
    },
    leave: async (workstation) => {
      await escape(workstation);
      await escape(workstation);
    },
  },
  {
    name: 'dialog-verify',
    show: async (workstation) => {
      await workstation.button(common.topBar.verify).click();
      await workstation.dialog(cases.verify.title).getByRole('grid').waitFor(patience);
    },
    leave: escape,
  },
  {
    name: 'dialog-new-case',
    show: async (workstation) => {
      await workstation.button(cases.new).first().click();
      await workstation.dialog(cases.newTitle).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-case-reports',
    show: async (workstation) => {
      await workstation.button(cases.more).click();
      await workstation.menuItem(cases.report.ofCases).click();
      await workstation.dialog(cases.report.ofCasesTitle).getByRole('checkbox').first().waitFor(patience);
    },
    leave: escape,
  },
  {
    name: 'dialog-jobs',
    show: async (workstation) => {
      await workstation.button(common.status.jobs).click();
      await workstation.dialog(common.status.jobs).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-shortcuts',
    show: async (workstation) => {
      await workstation.page.keyboard.press('?');
      await workstation.dialog(common.shortcuts.title).waitFor();
    },
    leave: escape,
  },
  { name: 'cases-details', view: true, show: tab('details') },
  {
    name: 'dialog-delete-case',
    show: async (workstation) => {
      await workstation.button(cases.summary.delete).click();
      await workstation.page.getByRole('dialog').waitFor();
    },
    leave: escape,
  },
  { name: 'cases-log', view: true, show: tab('log', cases.log.label) },
  {
    name: 'dialog-log-row',
    show: async (workstation) => {
      await workstation.page.getByRole('grid', { name: cases.log.label }).getByRole('row').nth(2).dblclick();
      await workstation.page.getByRole('dialog').waitFor();
    },
    leave: escape,
  },
  { name: 'cases-reports', view: true, show: tab('reports', cases.report.list) },
  {
    name: 'examine-screening',
    show: async (workstation) => {
      await inEvidence(workstation);
      const words = [common.findings['looks-spoof'], common.findings['looks-bona-fide'], common.findings.inconclusive];
      const assessed = workstation.recordings.getByRole('row').filter({ hasText: new RegExp(words.join('|')) });
      // Where the corpus is absent there may be none.
      if ((await assessed.count()) === 0) return;
      await assessed.first().dblclick();
      await canvasDrawn(workstation, /^Spectrogram from/);
      await unfoldInspector(workstation);
      // How often such findings were right stands beside them, or that it is not known.
      const inspector = workstation.page.getByRole('region', { name: examine.inspector.label });
      await inspector
        .getByText(/inconclusive were \d|It is not known how often/)
        .first()
        .waitFor();
    },
    leave: (workstation) => workstation.button(examine.toolbar.inspector).click(),
  },
  {
    name: 'examine',
    view: true,
    show: async (workstation) => {
      await inEvidence(workstation);
      await workstation.recordings.getByRole('row', { name: names.conversation }).dblclick();
      await canvasDrawn(workstation, /^Waveform from/);
      await canvasDrawn(workstation, /^Spectrogram from/);
      const field = workstation.page.getByRole('slider', { name: examine.lanes.position });
      const box = await field.boundingBox();
      if (box === null) throw new Error('There is no field.');
      await workstation.page.mouse.move(box.x + 0.36 * box.width, box.y + 120);
      await workstation.page.mouse.down();
      await workstation.page.mouse.move(box.x + 0.62 * box.width, box.y + 120, { steps: 5 });
      await workstation.page.mouse.up();
    },
  },
  {
    name: 'examine-display-menu',
    show: (workstation) => workstation.page.getByTitle(examine.display.title, { exact: true }).click(),
    leave: escape,
  },
  {
    name: 'dialog-mark',
    show: async (workstation) => {
      await unfoldInspector(workstation);
      await workstation.button(examine.inspector.addMark).click();
      await workstation.dialog(examine.marks.addTitle).waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-metadata',
    show: async (workstation) => {
      await workstation.button(examine.inspector.metadata).click();
      await workstation.page.getByRole('dialog').waitFor();
    },
    leave: escape,
  },
  {
    name: 'examine-missing',
    show: async (workstation) => {
      await unfold(workstation, workstation.recordings, common.shortcuts.foldList);
      await workstation.page.getByLabel(cases.evidence.filterLabel).fill('taken away');
      await workstation.recordings.getByRole('row', { name: 'taken away.wav' }).click();
      await workstation.says(alarmSentences['file-missing']);
    },
    leave: (workstation) => workstation.page.getByLabel(cases.evidence.filterLabel).fill(''),
  },
  {
    name: 'train',
    view: true,
    show: async (workstation) => {
      await workstation.goTo('train');
      await workstation.page.getByRole('navigation', { name: train.list }).getByRole('listitem').first().click();
      await canvasDrawn(workstation, new RegExp(`^${trainingTexts.loss}`));
    },
  },
  {
    name: 'train-form',
    show: async (workstation) => {
      await workstation.button(train.page.again).click();
      await workstation.page.getByRole('list', { name: train.form.found }).waitFor(patience);
      await workstation.button(train.inspection.inspect).click();
      await workstation.page.getByText(train.inspection.shortcuts, { exact: true }).waitFor(patience);
      await workstation.page.getByText(train.form.advanced, { exact: true }).click();
    },
  },
  {
    name: 'train-form-members',
    show: async (workstation) => {
      const { page } = workstation;
      await workstation.choose(train.form.what, train.form.whats.several);
      const members = page.getByRole('group', { name: train.form.members });
      await members.getByRole('checkbox').first().waitFor(patience);
      await members.scrollIntoViewIfNeeded();
    },
  },
  { name: 'evaluate', view: true, show: evaluationTab('curves', evaluationTexts.roc) },
  { name: 'evaluate-ratios', view: true, show: evaluationTab('ratios', evaluationTexts.tippett) },
  { name: 'evaluate-findings', view: true, show: evaluationTab('findings') },
  { name: 'evaluate-threshold', view: true, show: evaluationTab('threshold', evaluationTexts.scores) },
  { name: 'evaluate-generators', view: true, show: evaluationTab('generators') },
  { name: 'evaluate-figures', view: true, show: evaluationTab('figures') },
  {
    name: 'evaluate-form',
    show: async (workstation) => {
      await workstation.button(evaluate.newEvaluation).first().click();
      await workstation.page.getByLabel(evaluate.form.replicates, { exact: true }).waitFor();
    },
  },
  { name: 'robustness', view: true, show: robustnessTab('table') },
  {
    name: 'robustness-curves',
    view: true,
    show: robustnessTab('curves', robustnessTexts.rates('White noise')),
  },
  {
    name: 'robustness-form',
    show: async (workstation) => {
      const { page } = workstation;
      await workstation.button(evaluate.newEvaluation).first().click();
      await page.getByRole('radio', { name: evaluate.form.kinds.robustness }).check();
      await page.getByRole('radio', { name: evaluate.form.choices.own }).check(patience);
    },
    leave: async ({ page }) => page.getByRole('radio', { name: evaluate.form.kinds.figures }).check(),
  },
  {
    name: 'models',
    view: true,
    show: async (workstation) => {
      await workstation.goTo('models');
      await workstation.page.getByText(models.status.screeningWords).waitFor();
    },
  },
  {
    name: 'dialog-encoders',
    show: async (workstation) => {
      await workstation.goTo('models');
      await workstation.button(models.encoders.open).click();
      await workstation.dialog(models.encoders.title).getByRole('rowheader').first().waitFor(patience);
    },
    leave: escape,
  },
  {
    name: 'settings',
    view: true,
    show: async (workstation) => {
      await workstation.goTo('settings');
      if (await workstation.button(settings.look).isVisible()) {
        await workstation.button(settings.look).click();
        await workstation.page.getByText(/^Automatic takes:/).waitFor(patience);
      }
    },
  },
  {
    name: 'list-of-choices',
    show: async (workstation) => {
      await workstation.page.getByLabel(settings.theme, { exact: true }).click();
      await workstation.page.getByRole('option').first().waitFor();
    },
    leave: escape,
  },
  {
    name: 'dialog-licences',
    show: async (workstation) => {
      await workstation.button(settings.notices).click();
      await workstation.dialog(settings.noticesTitle).getByRole('table').waitFor(patience);
    },
    leave: escape,
  },
];

/** Looks at what is shown in both themes, from all that is asked for; answers with what axe found. */
async function inspect(workstation: Workstation, look: Look): Promise<Record<string, Violation[]>> {
  const found: Record<string, Violation[]> = {};
  const { page } = workstation;
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset['theme']), patience).toBe(theme);
    const against = await violations(page);
    if (against.length > 0) found[theme] = against;
    if (pictures === null) continue;
    for (const size of look.view ? [...sizes].reverse() : [small]) {
      await page.setViewportSize(size);
      // Canvases are drawn anew at their new size, a frame later.
      await page.evaluate(() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 150)));
      await picture(page, `look-${look.name}-${theme}-${size.width}`);
    }
  }
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'earwitness-looks-'));
const options: HostOptions = { home: join(folder, 'data'), env: { HOME: folder, USERPROFILE: folder } };

/** A laboratory that has worked a while: a case with findings and a report, a model of its own, evaluations. For pictures, a longer while. */
async function furnish(host: RunningHost): Promise<void> {
  const busy = pictures !== null;
  const evidence = join(folder, 'evidence');
  await writeEvidence(evidence);
  const clips = labelledClips('test', busy ? 16 : 4);
  const messages = join(evidence, 'messages');
  mkdirSync(messages);
  for (const [i, path] of [...(clips?.bonafide ?? []), ...(clips?.spoof ?? [])].entries()) {
    // As a person would find them: in an order that says nothing.
    copyFileSync(path, join(messages, `message ${String(1 + ((i * 11) % 32)).padStart(2, '0')}.flac`));
  }
  const gone = join(evidence, 'taken away.wav');
  writeFileSync(gone, wav16(babble(3, 40)));
  writeDataset(join(folder, 'dataset'));
  // As few as there are intervals of.
  writeTestSet(join(folder, 'telephone calls'), busy ? 24 : 10);

  const { client, close } = await connectTo(host);
  await client.settings.set({ examiner: 'A. Example', laboratory: 'Audio Laboratory', placeOfWork: 'Room 7' });
  for (const [number, title] of [
    ['2026-011', 'Voice messages of March'],
    ['2026-012', 'Ransom call'],
  ]) {
    const { id } = await client.cases.create({ number, title });
    await client.cases.close({ caseId: id });
  }
  const { id: caseId } = await client.cases.create({
    number: '2026-014',
    title: 'Two calls',
    examiner: 'A. Example',
    customer: 'District court',
    question: 'Is the speech that of a human voice?',
  });
  await jobDone(client, await client.evidence.add({ caseId, paths: [evidence], receivedFrom: 'Sgt. Miller' }));
  await jobDone(client, await client.analyses.scan({ caseId, which: 'new' }));
  const { rows } = await client.evidence.list({ caseId, filter: names.conversation });
  const evidenceId = rows[0].id;
  for (const [startSeconds, endSeconds, text] of [
    [4, null, 'Door'],
    [9.5, 13, 'Says the sum'],
  ] as const) {
    await client.marks.add({ caseId, evidenceId, startSeconds, endSeconds, text, inReport: true });
  }
  await client.analyses.stretch({ caseId, evidenceId, startSeconds: 9, endSeconds: 17, label: 'Second speaker' });
  await jobDone(client, await client.reports.issue({ caseId, evidenceIds: [evidenceId], authorisedBy: 'A. Example' }));
  rmSync(gone);
  const training = await client.training.start({
    name: 'Telephone',
    dataset: `folder:${join(folder, 'dataset')}`,
    network: 'mel-cnn',
    frontEnd: 'mel',
    augmentation: 'none',
    backend: 'wasm',
    epochs: 2,
    patience: 2,
    batchSize: 8,
    learningRate: 0.001,
    seed: 1,
    folds: null,
    notes: [],
  });
  await jobDone(client, training);
  await jobDone(
    client,
    await client.evaluation.startRobustness({
      modelId: 'fast',
      dataset: `folder:${join(folder, 'telephone calls')}`,
      degradations: ['opus-16', 'white-30', 'white-15', 'white-5'],
      limit: busy ? 20 : 10,
      replicates: 200,
    }),
  );
  await jobDone(
    client,
    await client.evaluation.start({
      modelIds: (await client.models.list()).map(({ id }) => id),
      dataset: `folder:${join(folder, 'telephone calls')}`,
      split: 'test',
      replicates: 200,
    }),
  );
  close();
}

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('looks', () => {
    let host: RunningHost;
    let workstation: Workstation;
    beforeAll(async () => {
      host = await start(options);
      workstation = new Workstation(host);
      await workstation.page.setViewportSize(small);
    });
    afterAll(() => host?.close());

    const check = async (look: Look): Promise<void> => {
      await workstation.page.setViewportSize(small);
      await look.show(workstation);
      try {
        expect(await inspect(workstation, look)).toEqual({});
      } finally {
        await look.leave?.(workstation);
      }
    };

    it.each(firstLooks)('$name', check);
    it('is furnished', () => furnish(host));
    it('opens the case', async () => {
      const { page } = workstation;
      await workstation.goTo('cases');
      await page.getByRole('grid', { name: cases.list }).getByRole('row', { name: '2026-014' }).dblclick();
      await workstation.tab(cases.tabs.evidence).waitFor();
    });
    it.each(looks)('$name', check);
    it.runIf(pictures !== null)('keeps a picture of each', () => {
      const named = [...firstLooks, ...looks].flatMap(({ name: look, view }) =>
        themes.flatMap((theme) => (view ? sizes : [small]).map(({ width }) => `look-${look}-${theme}-${width}.png`)),
      );
      expect(readdirSync(pictures ?? '')).toEqual(expect.arrayContaining(named));
    });
  });
});
