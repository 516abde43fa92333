/** The curves of a training. */
import type { Training } from '../../../src-preload/contract.ts';
import { type Plot, type PlotAxis, type Point, roundStep } from '../../charts/plot.ts';
import { formatNumber, formatPercent } from '../../format.ts';
import { train } from '../../texts/train.ts';

const texts = train.page;
type Epoch = Training['epochs'][number];

/** The epoch whose weights are kept: the last that was better than all before. */
export function bestEpoch(epochs: readonly Epoch[]): Epoch | undefined {
  return epochs.findLast(({ best }) => best);
}

/** Loss over epochs: single steps thin, the epochs' means bold; null before the first step. */
export function lossPlot({ request, steps, epochs }: Training): Plot | null {
  const last = steps.at(-1);
  if (last === undefined) return null;
  const to = Math.max(1, last.epoch, epochs.at(-1)?.epoch ?? 0);
  const losses = steps.map(({ loss }) => loss).filter(Number.isFinite);
  const top = Math.max(0.1, ...losses) * 1.05;
  return {
    id: 'training-loss',
    title: texts.loss,
    subject: request.name,
    x: epochAxis(to),
    y: { label: texts.lossAxis, column: 'loss_nats', scale: 'linear', from: 0, to: top, format: plain },
    layers: [
      {
        kind: 'line',
        name: texts.lossStep,
        role: 'inconclusive',
        faint: true,
        points: steps.map(({ epoch, loss }): Point => [epoch, loss]),
      },
      {
        kind: 'line',
        name: texts.lossEpoch,
        role: 'accent',
        points: epochs.map(({ epoch, loss }): Point => [epoch, loss]),
      },
    ],
    gist: texts.lossGist(formatNumber(last.loss, 3), formatNumber(last.epoch, 1)),
  };
}

/** Equal error rate on dev after each epoch, the best marked; null before the first epoch. */
export function devEerPlot(training: Training): Plot | null {
  const rates = training.epochs.map(({ devEer }) => devEer);
  const top = Math.min(1, Math.max(0.1, ...rates) * 1.1);
  return devPlot(training, {
    id: 'training-dev-eer',
    title: texts.devEer,
    axis: { label: texts.devEerAxis, column: 'dev_eer_fraction', scale: 'linear', from: 0, to: top, format: percent },
    value: ({ devEer }) => devEer,
    text: formatPercent,
  });
}

/** Area under the ROC curve on dev after each epoch, the best marked; null before the first epoch. */
export function devAucPlot(training: Training): Plot | null {
  const areas = training.epochs.map(({ devAuc }) => devAuc);
  const from = Math.max(0, Math.min(0.5, Math.floor(Math.min(...areas) * 10) / 10));
  return devPlot(training, {
    id: 'training-dev-auc',
    title: texts.devAuc,
    axis: { label: texts.devAucAxis, column: 'dev_auc', scale: 'linear', from, to: 1, format: plain },
    value: ({ devAuc }) => devAuc,
    text: (value) => formatNumber(value, 3),
  });
}

interface DevPlot {
  id: string;
  title: string;
  axis: PlotAxis;
  value: (epoch: Epoch) => number;
  text: (value: number) => string;
}

function devPlot({ request, epochs }: Training, { id, title, axis, value, text }: DevPlot): Plot | null {
  if (epochs.length === 0) return null;
  const best = bestEpoch(epochs);
  const points = epochs.map((each): Point => [each.epoch, value(each)]);
  return {
    id,
    title,
    subject: request.name,
    x: epochAxis(Math.max(2, epochs[epochs.length - 1].epoch)),
    y: axis,
    layers: [
      { kind: 'line', name: texts.ofEpoch, role: 'accent', points },
      ...(best === undefined
        ? []
        : [
            {
              kind: 'marks' as const,
              name: texts.best(String(best.epoch)),
              role: 'text' as const,
              mark: 'diamond' as const,
              points: [[best.epoch, value(best)] as const],
            },
          ]),
    ],
    gist: best === undefined ? '' : texts.devGist(axis.label, text(value(best)), String(best.epoch)),
  };
}

function epochAxis(to: number): PlotAxis {
  const step = Math.max(1, roundStep(to / 8));
  return {
    label: texts.epochAxis,
    column: 'epoch',
    scale: 'linear',
    from: 0,
    to: Math.ceil(to / step) * step,
    format: plain,
    ticks: 8,
    whole: true,
  };
}

const plain = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');
const percent = (fraction: number): string => plain(100 * fraction);
