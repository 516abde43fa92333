/**
 * A view that is opened and left fifty times leaves nothing behind: no listeners, observers, timers, object URLs, nodes or calls. In the
 * browser alone, since no host has a part in it.
 */
/* eslint-disable @typescript-eslint/unbound-method -- the page's own functions are wrapped, and called on what they belong to */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CDPSession, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { evaluationResultSchema } from '../src-common/schemas/evaluation.ts';
import { trainingRequestSchema } from '../src-common/schemas/training.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { newRecord } from '../src-main/laboratory/train-record.ts';
import { common } from '../src-renderer/texts/common.ts';
import { evaluate } from '../src-renderer/texts/evaluate.ts';
import { train } from '../src-renderer/texts/train.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const times = 50;

type View = keyof typeof common.views;
/** What stands in a view once it is there. */
const signs: Record<View, string> = {
  cases: '[role="grid"] [role="row"][aria-rowindex="2"]',
  examine: 'canvas',
  train: 'canvas',
  evaluate: 'canvas',
  models: '[role="grid"] [role="row"][aria-rowindex="2"]',
  collections: 'nav[aria-label="Collections"]',
  settings: '[role="combobox"]',
};

declare global {
  interface Window {
    keptByPage: () => Record<string, number>;
  }
}

/** Runs in the page before the program does: counts what it holds that outlives a view. */
function countKept(): void {
  const counts = new Map<string, number>();
  const change = (what: string, by: number): void => void counts.set(what, (counts.get(what) ?? 0) + by);
  window.keptByPage = () => Object.fromEntries([...counts].filter(([, count]) => count !== 0).sort());

  // Of what goes with a view, the browser itself tells: see `kept`.
  const outlives = (target: EventTarget): boolean =>
    !(target instanceof Node) ||
    [document, document.documentElement, document.body, document.head].includes(target as never);
  const listening = new WeakMap<EventTarget, Map<string, Set<unknown>>>();
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const forget = (target: EventTarget, type: string, capture: boolean, listener: unknown): void => {
    if (listening.get(target)?.get(`${type} ${capture}`)?.delete(listener))
      change(`${target.constructor.name} ${type}`, -1);
  };
  EventTarget.prototype.addEventListener = function (this: EventTarget | undefined, type, listener, options) {
    const target = this ?? window;
    addEventListener.call(target, type, listener, options);
    if (listener === null || !outlives(target)) return;
    const { capture = false, once = false, signal } = typeof options === 'object' ? options : { capture: options };
    const all = listening.get(target) ?? new Map<string, Set<unknown>>();
    listening.set(target, all);
    const same = all.get(`${type} ${capture}`) ?? new Set();
    all.set(`${type} ${capture}`, same);
    if (same.has(listener)) return;
    same.add(listener);
    change(`${target.constructor.name} ${type}`, 1);
    const end = (): void => forget(target, type, capture, listener);
    if (once) addEventListener.call(target, type, end, { once, capture });
    if (signal) addEventListener.call(signal, 'abort', end, { once: true });
  };
  EventTarget.prototype.removeEventListener = function (this: EventTarget | undefined, type, listener, options) {
    const target = this ?? window;
    removeEventListener.call(target, type, listener, options);
    forget(target, type, typeof options === 'object' ? (options.capture ?? false) : (options ?? false), listener);
  };

  for (const name of ['ResizeObserver', 'MutationObserver', 'IntersectionObserver'] as const) {
    const { prototype } = window[name] as { prototype: ResizeObserver };
    const { observe, unobserve, disconnect } = prototype;
    const observed = new WeakMap<object, Set<Node>>();
    prototype.observe = function (target, options) {
      observe.call(this, target, options);
      const targets = observed.get(this) ?? new Set();
      observed.set(this, targets);
      if (!targets.has(target)) change(name, 1);
      targets.add(target);
    };
    if (unobserve !== undefined) {
      prototype.unobserve = function (target) {
        unobserve.call(this, target);
        if (observed.get(this)?.delete(target)) change(name, -1);
      };
    }
    prototype.disconnect = function () {
      disconnect.call(this);
      change(name, -(observed.get(this)?.size ?? 0));
      observed.delete(this);
    };
  }

  const { createObjectURL, revokeObjectURL } = URL;
  const addresses = new Set<string>();
  URL.createObjectURL = (object) => {
    const address = createObjectURL.call(URL, object);
    addresses.add(address);
    change('object URL', 1);
    return address;
  };
  URL.revokeObjectURL = (address) => {
    revokeObjectURL.call(URL, address);
    if (addresses.delete(address)) change('object URL', -1);
  };

  const { setInterval, clearInterval } = window;
  const intervals = new Set<unknown>();
  window.setInterval = ((...given: Parameters<typeof setInterval>) => {
    const id: unknown = setInterval(...given);
    intervals.add(id);
    change('interval', 1);
    return id;
  }) as typeof setInterval;
  window.clearInterval = (id) => {
    clearInterval(id);
    if (intervals.delete(id)) change('interval', -1);
  };
}

interface Frame {
  i: string;
  /** 3: an event of a subscription; 4: the window wants no more. */
  t?: number;
  p?: { u?: string; h?: Record<string, string>; e?: string };
}

/** Follows the calls over the page's WebSocket. @returns those that have not ended, by procedure */
function followCalls(page: Page): () => string[] {
  const open = new Map<string, string>();
  const frame = (payload: string | Buffer): Frame => JSON.parse(String(payload)) as Frame;
  page.on('websocket', (socket) => {
    open.clear();
    socket.on('framesent', ({ payload }) => {
      const { i, t, p } = frame(payload);
      if (t === undefined) open.set(i, p?.u ?? '');
      else if (t === 4) open.delete(i);
    });
    socket.on('framereceived', ({ payload }) => {
      const { i, t, p } = frame(payload);
      const goesOn = t === undefined ? p?.h?.['content-type'] === 'text/event-stream' : p?.e === 'message';
      if (!goesOn) open.delete(i);
    });
  });
  return () => [...open.values()];
}

/** Opens a view and leaves it for another one, so often, each time once what stands in it is there. */
async function visit(page: Page, view: View, sign: string, often: number): Promise<void> {
  const other: View = view === 'settings' ? 'models' : 'settings';
  const steps = [
    { label: common.views[view], sign },
    { label: common.views[other], sign: signs[other] },
  ];
  await page.evaluate(
    async ({ steps, often, rail }) => {
      const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
      const buttons = [...document.querySelectorAll<HTMLElement>(`nav[aria-label="${rail}"] button`)];
      const isThere = ({ label, sign }: (typeof steps)[number]): boolean =>
        document.querySelector('main > h1')?.textContent === label && document.querySelector(`main ${sign}`) !== null;
      for (let time = 0; time < often; time++) {
        for (const step of steps) {
          buttons.find((button) => button.textContent.trim() === step.label)?.click();
          do await frame();
          while (!isThere(step));
        }
      }
    },
    { steps, often, rail: common.railLabel },
  );
}

const result: z.input<typeof evaluationResultSchema> = {
  modelId: 'default',
  modelName: 'A model',
  modelSha256: '0'.repeat(64),
  bonafide: 2,
  spoof: 2,
  withoutScore: 0,
  findings: null,
  figures: [{ name: 'eer', label: 'Equal error rate', value: 0.5, unit: 'fraction', interval: null }],
  roc: [[0, 0], [0.5, 0.5], [1, 1]], // prettier-ignore
  precisionRecall: [[0, 1], [1, 0.5]], // prettier-ignore
  det: [[1, 0], [0.5, 0.5], [0, 1]], // prettier-ignore
  rocBand: [],
  detBand: [],
  precisionBand: [],
  calibration: [],
  tippett: { bonafide: [[-1, 1], [1, 0]], spoof: [[-1, 1], [1, 0]] }, // prettier-ignore
  histogram: { from: -1, to: 1, bonafide: [1, 1], spoof: [1, 1] },
  scores: { bonafide: [-1, 1], spoof: [-1, 1] },
  threshold: 0,
  eerThreshold: 0,
  generators: [],
};

/** A training and an evaluation that are done, in a data folder. */
function plantRuns(home: string): void {
  const record = newRecord('planted', trainingRequestSchema.parse({ dataset: '/none', name: 'Trained' }));
  const member = {
    name: 'network',
    kind: 'network',
    inFolds: false,
    state: 'done',
    embedded: null,
    joined: null,
  } as const;
  const epochs = [1, 2].map((epoch) => ({
    epoch,
    loss: 1 / epoch,
    devEer: 0.5 / epoch,
    devAuc: 0.5,
    best: epoch === 2,
  }));
  const steps = epochs.map(({ epoch, loss }) => ({ epoch, loss }));
  Object.assign(record.training, { state: 'done', members: [{ ...member, planned: 2, steps, epochs }] });
  const createdAt = record.training.startedAt;
  const summary = { id: 'planted', kind: 'figures', createdAt, dataset: '/none', split: 'test', models: ['A model'] };
  const asked = { modelIds: ['default'], dataset: '/none', split: 'test', replicates: 0 };
  for (const [place, content] of [
    ['trainings/planted/training.json', record],
    ['evaluations/planted/evaluation.json', { format: 1, asked, done: true, summary }],
    ['evaluations/planted/results.json', [result]],
  ] as const) {
    mkdirSync(join(home, place, '..'), { recursive: true });
    writeFileSync(join(home, place), JSON.stringify(content));
  }
}

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a view that is left', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-leaks-'));
    const home = join(folder, 'home');
    let host: RunningHost;
    let workstation: Workstation;
    let browser: CDPSession;
    let calls: () => string[];

    beforeAll(async () => {
      mkdirSync(join(folder, 'evidence'));
      writeFileSync(join(folder, 'evidence', 'voice.wav'), wav16(babble(3, 5)));
      plantRuns(home);
      host = await start({ home, env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
      browser = await host.context.newCDPSession(host.page);
      await browser.send('Performance.enable');
      await host.page.addInitScript(countKept);
      calls = followCalls(host.page);
      await host.page.reload();
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** What is kept once the calls under way have ended; listeners and nodes, those out of the document included, as the browser counts them. */
    async function kept(): Promise<{ page: Record<string, number>; listeners: number; nodes: number }> {
      await expect.poll(calls, patience).toEqual(['/system/changes']);
      for (let time = 0; time < 2; time++) await browser.send('HeapProfiler.collectGarbage');
      const { metrics } = await browser.send('Performance.getMetrics');
      const metric = (name: string): number => metrics.find((one) => one.name === name)?.value ?? NaN;
      const page = await host.page.evaluate(() => window.keptByPage());
      return { page, listeners: metric('JSEventListeners'), nodes: metric('Nodes') };
    }

    async function leavesNothing(view: View, sign = signs[view]): Promise<void> {
      // What is made once, at the first time, may stay.
      await visit(host.page, view, sign, 3);
      const before = await kept();
      await visit(host.page, view, sign, times);
      // A listener for each time would be so many, and a view has more than two nodes; what was shown last may be collected later.
      const more = async (): Promise<string[]> => {
        const after = await kept();
        expect(after.page).toEqual(before.page);
        const [listeners, nodes] = [after.listeners - before.listeners, after.nodes - before.nodes];
        return [
          ...(listeners >= times ? [`${listeners} listeners`] : []),
          ...(nodes >= 2 * times ? [`${nodes} nodes`] : []),
        ];
      };
      await expect.poll(more, { timeout: 20_000 }).toEqual([]);
    }

    it('examine, without a case', async () => {
      await leavesNothing('examine', 'p');
    });

    it('is seen where one leaves something', async () => {
      const before = await kept();
      await host.page.evaluate(() => {
        window.addEventListener('resize', () => undefined);
        matchMedia('print').addEventListener('change', () => undefined);
        new ResizeObserver(() => undefined).observe(document.createElement('p'));
        URL.createObjectURL(new Blob());
        const detached = Object.assign(document.createElement('p'), { innerHTML: '<b></b>'.repeat(100) });
        for (const child of detached.children) child.addEventListener('click', () => undefined);
        Object.assign(window, { detached });
      });
      const after = await kept();
      expect(after.page['Window resize']).toBe((before.page['Window resize'] ?? 0) + 1);
      expect(after.page['ResizeObserver']).toBe((before.page['ResizeObserver'] ?? 0) + 1);
      expect(after.page).toMatchObject({ 'object URL': 1, 'MediaQueryList change': expect.any(Number) as number });
      expect(after.listeners - before.listeners).toBeGreaterThan(times);
      expect(after.nodes - before.nodes).toBeGreaterThan(times);
      await host.page.reload();
    });

    it('each, with a recording, a training and an evaluation open', async () => {
      const { page } = host;
      await workstation.newCase({ number: '1', title: 'A call' });
      await workstation.addFolder(join(folder, 'evidence'));
      await workstation.recordings.getByRole('row', { name: 'voice.wav' }).dblclick();
      await page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
      await workstation.goTo('train');
      await page.getByRole('navigation', { name: train.list }).getByRole('listitem').getByRole('button').click();
      await workstation.goTo('evaluate');
      await page.getByRole('navigation', { name: evaluate.list }).getByRole('listitem').getByRole('button').click();
      await page.locator('main canvas').first().waitFor();
    });

    it.each(Object.keys(signs) as View[])('%s', async (view) => {
      await leavesNothing(view);
    });

    it.each(['train', 'evaluate'] as const)('%s, with its form', async (view) => {
      await workstation.goTo(view);
      await workstation
        .button(view === 'train' ? train.newTraining : evaluate.newEvaluation)
        .first()
        .click();
      await leavesNothing(view, 'form, main input');
    });

    it('says nothing of it in the console', () => expect(workstation.errors).toEqual([]));
  });
});
