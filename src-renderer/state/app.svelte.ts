/** What the whole window shares: which view, which case, which recording, the settings, the machine, the jobs. */
import { tick } from 'svelte';
import type { CaseView } from '../../src-common/schemas/case.ts';
import type { Job } from '../../src-common/schemas/job.ts';
import type { ModelSummary } from '../../src-common/schemas/model.ts';
import type { Settings } from '../../src-common/schemas/settings.ts';
import type { HostBridge } from '../../src-preload/bridge.ts';
import type { Machine } from '../../src-preload/contract/system.ts';
import { common } from '../texts/common.ts';
import { bridge, client, errorWords, onChange, onLockedKey, resourceUrl } from './client.svelte.ts';
import { isString, keep, kept } from './kept.ts';
import { throttled } from './throttled.ts';

export const viewNames = ['cases', 'examine', 'train', 'evaluate', 'models', 'collections', 'settings'] as const;
export type ViewName = (typeof viewNames)[number];

type Tone = 'info' | 'success' | 'warning' | 'error';
interface Notice {
  id: number;
  sentence: string;
  tone: Tone;
  /** A button that goes with it. */
  action?: { label: string; run: () => void };
}

interface Question {
  title: string;
  sentence: string;
  /** What the button that agrees says. */
  action: string;
  danger?: boolean;
  /** To be typed before the button works. */
  typed?: { label: string; text: string };
  /** A reason to be given; `confirm` then answers with it through `reason`. */
  reason?: string;
}

type ChoosePaths = Parameters<HostBridge['choosePaths']>[0];

/** What a global dialog of the window is asked for; App shows the one that is set. */
interface PathRequest {
  kind: 'files' | 'file' | 'folder' | 'save';
  title: string;
  extensions: string[];
  suggestedName: string;
  resolve: (paths: string[] | 'download') => void;
}

const isView = (value: unknown): value is ViewName => viewNames.includes(value as ViewName);

class App {
  view: ViewName = $state(kept('view', 'cases', isView));
  caseId: string | null = $state(null);
  caseView: CaseView | null = $state.raw(null);
  evidenceId: number | null = $state(null);
  settings: Settings | null = $state.raw(null);
  machine: Machine | null = $state.raw(null);
  models: ModelSummary[] = $state.raw([]);
  jobs: Job[] = $state.raw([]);
  notices: Notice[] = $state.raw([]);
  /** The theme in force: what `system` comes to. */
  theme: 'light' | 'dark' = $state('light');
  /** First answers are there; before, views show that they load. */
  ready = $state(false);
  question: (Question & { resolve: (answer: string | null) => void }) | null = $state.raw(null);
  pathRequest: PathRequest | null = $state.raw(null);
  /** A dialog of the case that the top bar, the menu and shortcuts open. */
  caseDialog: 'add' | 'report' | 'verify' | 'new-case' | 'edit' | 'take' | null = $state(null);
  /** Files and folders for the intake dialog. */
  intakePaths: string[] = $state.raw([]);
  showsShortcuts = $state(false);

  /** Of the case that is open. */
  get hasNoRecordings(): boolean {
    return (this.caseView?.items ?? 0) === 0;
  }

  get defaultModel(): ModelSummary | undefined {
    return this.models.find((model) => model.isDefault);
  }

  goTo(view: ViewName): void {
    this.view = view;
    keep('view', view);
  }

  /** Opens a case and makes it the window's; rejects with what `errorWords` makes readable. */
  async openCase(id: string): Promise<void> {
    if (this.caseId !== id) {
      await this.switchTo(await client.cases.open({ caseId: id }));
    }
  }

  /** Makes a case that is open in the engine the window's, and closes the one that was. */
  async switchTo(opened: CaseView): Promise<void> {
    const before = this.caseId;
    this.takeCase(opened);
    if (before !== null && before !== opened.id) {
      await client.cases.close({ caseId: before }).catch(() => undefined);
    }
  }

  /** Takes a case that an answer of the engine brought as the window's. */
  takeCase(opened: CaseView): void {
    if (this.caseId !== opened.id) {
      this.evidenceId = null;
    }
    this.caseId = opened.id;
    this.caseView = opened;
    if (!opened.passing) {
      keep('case', opened.id);
    }
  }

  /** Closes the case that is open. */
  async closeCase(): Promise<void> {
    const id = this.caseId;
    if (id !== null) {
      this.forgetCase(id);
      await client.cases.close({ caseId: id });
    }
  }

  /** A case is no longer there; the window shows none where it was this. */
  forgetCase(id: string): void {
    if (this.caseId === id) {
      this.caseId = null;
      this.caseView = null;
      this.evidenceId = null;
      keep('case', '');
    }
  }

  /** Looks at files that are in no case: they are scanned, and nothing of them is kept. */
  async quickLook(paths: string[]): Promise<void> {
    await this.attempt(async () => {
      const { view, jobId } = await client.cases.quickLook({ paths });
      await this.switchTo(view);
      this.goTo('examine');
      const job = await this.jobEnded(jobId);
      const [id] = Array.isArray(job.result?.evidenceIds) ? (job.result.evidenceIds as unknown[]) : [];
      const [problem] = job.problems;
      if (this.caseId !== view.id) return;
      if (typeof id === 'number') this.evidenceId = id;
      else this.notify(problem?.message ?? common.look.nothing, 'warning');
    });
  }

  /** Shows a recording in the Examine view. */
  showEvidence(id: number): void {
    this.evidenceId = id;
    this.goTo('examine');
  }

  /** Asks once; true where the person agreed. */
  async confirm(question: Question): Promise<boolean> {
    return (await this.ask(question)) !== null;
  }

  /** Asks, and answers with the reason given (empty where none was asked for), or null where it was cancelled. */
  ask(question: Question): Promise<string | null> {
    this.question?.resolve(null);
    return new Promise((resolve) => {
      this.question = {
        ...question,
        resolve: (answer) => {
          this.question = null;
          resolve(answer);
        },
      };
    });
  }

  /** What waits for the passphrase of the key: takes whether it was given. */
  passphraseRequest: ((given: boolean) => void) | null = $state.raw(null);
  #passphrase: Promise<boolean> | null = null;

  /** Asks for it once, however many wait. */
  askPassphrase(): Promise<boolean> {
    this.#passphrase ??= new Promise<boolean>((resolve) => {
      this.passphraseRequest = resolve;
    }).finally(() => {
      this.passphraseRequest = null;
      this.#passphrase = null;
    });
    return this.#passphrase;
  }

  #noticeId = 0;

  /** Shows a sentence for a while; errors stay until they are dismissed. */
  notify(sentence: string, tone: Tone = 'info', action?: Notice['action']): void {
    const id = (this.#noticeId += 1);
    const others = this.notices.filter((notice) => notice.sentence !== sentence);
    this.notices = [...others.slice(-3), { id, sentence, tone, action }];
    if (tone !== 'error') {
      setTimeout(() => this.dismissNotice(id), tone === 'warning' ? 12_000 : 6000);
    }
  }

  /** Puts a text on the clipboard, and says so. */
  async copy(text: string, sentence: string = common.copied): Promise<void> {
    await this.attempt(async () => {
      await navigator.clipboard.writeText(text);
      this.notify(sentence, 'success');
    });
  }

  dismissNotice(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  /** Shows any thrown thing as a notice; an abort is none. */
  notifyError(error: unknown): void {
    const { message, advice, code } = errorWords(error);
    if (code !== 'aborted') {
      this.notify(advice === undefined ? message : `${message} ${advice}`, 'error');
    }
  }

  /** Runs something that may fail; shows the error and answers with undefined where it does. */
  async attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.notifyError(error);
      return undefined;
    }
  }

  /** Paths on the engine's machine that a person chooses; empty where it was cancelled. */
  async choosePaths(options: ChoosePaths): Promise<string[]> {
    if (bridge !== undefined) return bridge.choosePaths(options);
    const answer = await this.#requestPath({ ...options, suggestedName: '' });
    return answer === 'download' ? [] : answer;
  }

  #requestPath(
    options: Omit<PathRequest, 'extensions' | 'resolve'> & { extensions?: string[] },
  ): Promise<string[] | 'download'> {
    this.pathRequest?.resolve([]);
    return new Promise((resolve) => {
      this.pathRequest = {
        ...options,
        extensions: options.extensions ?? [],
        resolve: (paths) => {
          this.pathRequest = null;
          resolve(paths);
        },
      };
    });
  }

  /**
   * Where an output goes: the platform's dialog in Electron; in a browser a download (`null` as `out`). Answers with what
   * `run` answered, or undefined where it was cancelled or failed (which is shown).
   */
  async save<T extends { path: string | null; resource: string | null }>(options: {
    suggestedName: string;
    run: (out: string | null) => Promise<T>;
  }): Promise<T | undefined> {
    const target = await this.chooseOutput(options.suggestedName);
    if (target === undefined) {
      return undefined;
    }
    return this.attempt(async () => {
      const output = await options.run(target);
      this.deliver(output, options.suggestedName);
      return output;
    });
  }

  /** A path in Electron, null for a download in a browser, undefined where it was cancelled. */
  async chooseOutput(suggestedName: string): Promise<string | null | undefined> {
    if (bridge === undefined) {
      return null;
    }
    return (await bridge.chooseOutput({ title: common.files.title.save, suggestedName })) ?? undefined;
  }

  /** Hands an output over: says where it lies, or downloads it. */
  deliver(output: { path?: unknown; resource?: unknown }, suggestedName: string): void {
    const { path, resource } = output;
    if (isString(resource)) {
      const anchor = document.createElement('a');
      anchor.href = resourceUrl(resource.startsWith('file/') ? resource : `file/${resource}`);
      anchor.download = suggestedName;
      anchor.click();
      this.notify(common.downloaded(suggestedName), 'success');
    } else if (isString(path)) {
      const host = bridge;
      this.notify(
        common.saved(path),
        'success',
        host === undefined ? undefined : { label: common.actions.show, run: () => void host.reveal(path) },
      );
    }
  }

  /** Says what was edited in the open case just now, and offers to take back that and nothing else. */
  async offerUndo(sentence: string): Promise<void> {
    const caseId = this.caseId;
    if (caseId === null) return;
    const { row } = await client.cases.latestEdit({ caseId });
    const run = (): void => void this.undo(row ?? undefined);
    this.notify(sentence, 'info', row === null ? undefined : { label: common.undo.undo, run });
  }

  /** Takes back the latest edit of the open case, if it is that of the row, and says what it was. */
  async undo(row?: number): Promise<void> {
    const caseId = this.caseId;
    if (caseId === null) return;
    await this.attempt(async () => {
      const { undone } = await client.cases.undo({ caseId, row });
      if (undone === null) return this.notify(common.undo.nothing);
      const run = (): void => void this.redo(undone.row);
      this.notify(common.undo.undone(undone.summary), 'info', { label: common.undo.redo, run });
    });
  }

  /** Does again what was undone last. */
  async redo(row?: number): Promise<void> {
    const caseId = this.caseId;
    if (caseId === null) return;
    await this.attempt(async () => {
      const { redone } = await client.cases.redo({ caseId, row });
      if (redone === null) return this.notify(common.undo.nothingAgain);
      const run = (): void => void this.undo(redone.row);
      this.notify(common.undo.redone(redone.summary), 'info', { label: common.undo.undo, run });
    });
  }

  job(id: string): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  readonly #waiting = new Map<string, ((job: Job) => void)[]>();

  /** The job once it has ended, however it did. */
  jobEnded(id: string): Promise<Job> {
    const known = this.job(id);
    if (known?.endedAt != null) {
      return Promise.resolve(known);
    }
    return new Promise((resolve) => {
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve]);
    });
  }

  /** Says why a job failed; nothing where it did not. */
  notifyFailure({ error }: Job): void {
    if (error !== null) this.notify([error.message, error.advice].filter(Boolean).join(' '), 'error');
  }

  #takeJobs(jobs: readonly Job[]): void {
    const byId = new Map(this.jobs.map((job) => [job.id, job]));
    for (const job of jobs) {
      byId.set(job.id, job);
      if (job.endedAt !== null) {
        this.#waiting.get(job.id)?.forEach((resolve) => resolve(job));
        this.#waiting.delete(job.id);
      }
    }
    this.jobs = [...byId.values()];
  }

  /** Takes a finished job off the list. */
  async dismissJob(id: string): Promise<void> {
    this.jobs = this.jobs.filter((job) => job.id !== id);
    await this.attempt(() => client.jobs.dismiss({ jobId: id }));
  }

  #pendingJobs = new Map<string, Job>();
  #flushing = false;

  /** Changes of jobs come often while much runs: taken together, once a frame at most ten times a second. */
  #queueJob(job: Job): void {
    this.#pendingJobs.set(job.id, job);
    if (!this.#flushing) {
      this.#flushing = true;
      setTimeout(() => {
        this.#flushing = false;
        const jobs = [...this.#pendingJobs.values()];
        this.#pendingJobs.clear();
        this.#takeJobs(jobs);
      }, 100);
    }
  }

  async reloadCase(): Promise<void> {
    const id = this.caseId;
    if (id !== null) {
      const view = await client.cases.get({ caseId: id });
      if (this.caseId === id) {
        this.caseView = view;
      }
    }
  }

  async #load(): Promise<void> {
    const [machine, settings, models, jobs] = await Promise.all([
      client.system.machine(),
      client.settings.get(),
      client.models.list(),
      client.jobs.list(),
    ]);
    this.machine = machine;
    this.settings = settings;
    this.models = models;
    const listed = new Set(jobs.map((job) => job.id));
    // A job that an engine took with it when it ended: nobody shall wait for it.
    const lost = [...this.#waiting.keys()].flatMap((id) => (listed.has(id) ? [] : (this.job(id) ?? [])));
    this.#takeJobs(lost.map((job) => ({ ...job, state: 'cancelled', endedAt: new Date().toISOString() })));
    this.jobs = this.jobs.filter((job) => listed.has(job.id));
    this.#takeJobs(jobs);
  }

  #engineStartedAt: string | null = null;

  /** After a restart of the engine the case that was open is opened there again. */
  async #engineAnswers(startedAt: string, recovered: boolean): Promise<void> {
    const isAnother = this.#engineStartedAt !== null && this.#engineStartedAt !== startedAt;
    this.#engineStartedAt = startedAt;
    if (isAnother && recovered) {
      this.notify(common.connection.recovered, 'warning');
    }
    try {
      await this.#load();
      const id = this.caseId ?? (this.ready ? '' : await this.#lastCase());
      if (id !== '') {
        // The last case is opened again as it was left; one that is gone or busy leaves the list to choose from.
        await client.cases.open({ caseId: id }).then(
          (view) => this.takeCase(view),
          (error: unknown) => {
            this.caseId = null;
            this.caseView = null;
            if (errorWords(error).code !== 'not-found') {
              this.notifyError(error);
            }
          },
        );
      }
    } catch (error) {
      this.notifyError(error);
    }
    this.ready = true;
  }

  /** The case that was open last in this window or, where it has never been told of one (another port, another browser), in any; empty: none. */
  async #lastCase(): Promise<string> {
    const own = kept<string | null>('case', null, isString);
    if (own !== null) return own;
    const [latest] = await client.cases.list({});
    return latest !== undefined && latest.problem === null && latest.openedAt !== null ? latest.id : '';
  }

  /** What is told of again and again is asked for now and then. */
  #often(everyMs: number, load: () => Promise<unknown>): () => void {
    return throttled(everyMs, () =>
      load().catch((error: unknown) => {
        if (errorWords(error).code === 'internal') {
          console.error(error);
        }
      }),
    );
  }

  readonly #modelsChanged = this.#often(200, async () => (this.models = await client.models.list()));
  readonly #settingsChanged = this.#often(200, async () => {
    [this.settings, this.machine] = await Promise.all([client.settings.get(), client.system.machine()]);
  });
  readonly #caseChanged = this.#often(500, () => this.reloadCase());

  /** Begins to follow the engine; called once, by the window. Returns what ends it. */
  start(): () => void {
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    const applyTheme = (): void => {
      const chosen = this.settings?.theme ?? 'system';
      this.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
      document.documentElement.dataset.theme = this.theme;
      bridge?.setTheme(chosen);
    };
    applyTheme();
    dark.addEventListener('change', applyTheme);
    const stopEffects = $effect.root(() => {
      $effect(applyTheme);
      $effect(() => {
        const view = this.caseView;
        document.title = view === null ? 'Earwitness' : `${view.number} ${view.title} – Earwitness`;
      });
    });
    onLockedKey(() => this.askPassphrase());
    const stopChanges = onChange((change) => {
      switch (change.type) {
        case 'engine':
          void this.#engineAnswers(change.startedAt, change.recovered);
          break;
        case 'job':
          this.#queueJob(change.job);
          break;
        case 'models':
          this.#modelsChanged();
          break;
        case 'settings':
          this.#settingsChanged();
          break;
        case 'head':
          if (change.caseId === this.caseId && this.caseView !== null) {
            this.caseView = { ...this.caseView, head: change.head, history: change.history };
          }
          break;
        case 'evidence':
          if (change.caseId === this.caseId) {
            this.#caseChanged();
          }
          break;
        case 'cases':
          this.#caseChanged();
          break;
        case 'notice':
          this.notify(change.sentence, change.tone);
          break;
        case 'training':
          break;
      }
    });
    return () => {
      dark.removeEventListener('change', applyTheme);
      stopEffects();
      stopChanges();
    };
  }

  /** The command that does what waits for a yes on the engine's terminal now; null where nothing waits. */
  confirmation: string | null = $state.raw(null);

  /** Runs what the engine has confirmed on its terminal (in Electron by the system's dialog), and says meanwhile what is waited for. */
  async confirmed<T>(command: string, run: () => Promise<T>): Promise<T> {
    this.confirmation = bridge === undefined ? command : null;
    try {
      return await run();
    } finally {
      this.confirmation = null;
    }
  }

  /** When this window last saved settings; null: not yet. */
  settingsSavedAt: string | null = $state(null);

  /** Changes settings; what is shown changes at once and goes back where the engine refuses. */
  async set(patch: Partial<Settings>): Promise<void> {
    const before = this.settings;
    if (before !== null) {
      this.settings = { ...before, ...patch };
    }
    try {
      const added = patch.roots?.find((root) => before?.roots.includes(root) !== true);
      const command =
        added !== undefined
          ? common.commands.addRoot(added)
          : patch.ffmpeg
            ? common.commands.ffmpeg(patch.ffmpeg)
            : patch.queue
              ? common.commands.queue(patch.queue)
              : null;
      const run = (): Promise<Settings> => client.settings.set(patch);
      this.settings = await (command === null ? run() : this.confirmed(command, run));
      this.settingsSavedAt = new Date().toISOString();
    } catch (error) {
      this.settings = before;
      this.notifyError(error);
    }
    await tick();
  }
}

export const app = new App();
