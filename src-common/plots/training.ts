/** The curves of a training: loss over epochs, and what dev says after each. */
import { axisNumber, axisPercent, formatNumber, formatPercent } from '../numbers.ts';
import type { Training, TrainingMember } from '../schemas/training.ts';
import { type Layer, type Plot, type PlotAxis, type Point, roundStep } from './plot.ts';
import { trainingTexts as texts } from './texts.ts';
import { looksInOrder, type LooksOf, modelColourCount, type ModelLook } from './theme.ts';

type Epoch = TrainingMember['epochs'][number];

/** The epoch whose weights are kept: the last that was better than all before. */
function bestEpoch(epochs: readonly Epoch[]): Epoch | undefined {
  return epochs.findLast(({ best }) => best);
}

/** The best epoch of a model of one network. */
export function bestOf({ members }: Training): Epoch | undefined {
  return members.length === 1 ? bestEpoch(members[0].epochs) : undefined;
}

/** The networks that have begun, with how each is drawn where there are several members. */
function begun({ members }: Training, looksOf = looksInOrder): { network: TrainingMember; look: ModelLook | null }[] {
  const networks = members.filter(({ kind }) => kind === 'network').slice(0, modelColourCount);
  const looks = looksOf(members.length > 1 ? networks.map(({ name }) => name) : []);
  return networks
    .filter(({ steps }) => steps.length > 0)
    .map((network) => ({ network, look: looks.get(network.name) ?? null }));
}

/** Its curve after each epoch, under its name where there are several members. */
function epochLayers({ network, look }: ReturnType<typeof begun>[number], name: string, points: Point[]): Layer[] {
  if (look === null) return [{ kind: 'line', name, role: 'accent', points }];
  const { role, mark } = look;
  return [
    { kind: 'line', name: network.name, role, points, inLegend: false },
    { kind: 'marks', name: network.name, role, mark, points },
  ];
}

/** The curves that there are. */
export function trainingPlots(training: Training): Plot[] {
  return [lossPlot(training), devEerPlot(training), devAucPlot(training)].filter((plot) => plot !== null);
}

/** Loss over epochs: single steps thin, the epochs' means bold; null before the first step. */
export function lossPlot(training: Training, looksOf: LooksOf = looksInOrder): Plot | null {
  const networks = begun(training, looksOf);
  const lasts = networks.map(({ network }) => network.steps[network.steps.length - 1]);
  if (lasts.length === 0) return null;
  const to = Math.max(1, ...lasts.map(({ epoch }) => epoch));
  const losses = networks.flatMap(({ network }) => network.steps.map(({ loss }) => loss)).filter(Number.isFinite);
  const top = Math.max(0.1, ...losses) * 1.05;
  return {
    id: 'training-loss',
    title: texts.loss,
    subject: training.request.name,
    x: epochAxis(to),
    y: { label: texts.lossAxis, column: 'loss_nats', scale: 'linear', from: 0, to: top, format: axisNumber },
    layers: networks.flatMap((each): Layer[] => [
      {
        kind: 'line',
        name: each.look === null ? texts.lossStep : texts.lossStepOf(each.network.name),
        role: each.look?.role ?? 'inconclusive',
        faint: true,
        inLegend: each.look === null,
        points: each.network.steps.map(({ epoch, loss }): Point => [epoch, loss]),
      },
      ...epochLayers(
        each,
        texts.lossEpoch,
        each.network.epochs.map(({ epoch, loss }): Point => [epoch, loss]),
      ),
    ]),
    gist: networks
      .map(({ network, look }, index) => {
        const { loss, epoch } = lasts[index];
        return texts.lossGist(look === null ? null : network.name, formatNumber(loss, 3), formatNumber(epoch, 1));
      })
      .join(' '),
  };
}

/** Equal error rate on dev after each epoch, the best marked; null before the first epoch. */
export function devEerPlot(training: Training, looksOf: LooksOf = looksInOrder): Plot | null {
  const rates = epochsOf(training).map(({ devEer }) => devEer);
  const top = Math.min(1, Math.max(0.1, ...rates) * 1.1);
  return devPlot(training, looksOf, {
    id: 'training-dev-eer',
    title: texts.devEer,
    axis: {
      label: texts.devEerAxis,
      column: 'dev_eer_fraction',
      scale: 'linear',
      from: 0,
      to: top,
      format: axisPercent,
    },
    value: ({ devEer }) => devEer,
    text: formatPercent,
  });
}

/** Area under the ROC curve on dev after each epoch, the best marked; null before the first epoch. */
export function devAucPlot(training: Training, looksOf: LooksOf = looksInOrder): Plot | null {
  const areas = epochsOf(training).map(({ devAuc }) => devAuc);
  const from = Math.max(0, Math.min(0.5, Math.floor(Math.min(...areas) * 10) / 10));
  return devPlot(training, looksOf, {
    id: 'training-dev-auc',
    title: texts.devAuc,
    axis: { label: texts.devAucAxis, column: 'dev_auc', scale: 'linear', from, to: 1, format: axisNumber },
    value: ({ devAuc }) => devAuc,
    text: (value) => formatNumber(value, 3),
  });
}

const epochsOf = (training: Training): Epoch[] => begun(training).flatMap(({ network }) => network.epochs);

interface DevPlot {
  id: string;
  title: string;
  axis: PlotAxis;
  value: (epoch: Epoch) => number;
  text: (value: number) => string;
}

function devPlot(training: Training, looksOf: LooksOf, { id, title, axis, value, text }: DevPlot): Plot | null {
  const networks = begun(training, looksOf).filter(({ network }) => network.epochs.length > 0);
  if (networks.length === 0) return null;
  const pointOf = (each: Epoch): Point => [each.epoch, value(each)];
  const kept = networks.map(({ network, look }) => {
    const best = bestEpoch(network.epochs);
    return best === undefined ? null : { best, name: look === null ? null : network.name };
  });
  const [only] = kept;
  return {
    id,
    title,
    subject: training.request.name,
    x: epochAxis(Math.max(2, ...networks.map(({ network }) => network.epochs[network.epochs.length - 1].epoch))),
    y: axis,
    layers: [
      ...networks.flatMap((each) => epochLayers(each, texts.ofEpoch, each.network.epochs.map(pointOf))),
      ...(only === null || only.name !== null
        ? []
        : [
            {
              kind: 'marks' as const,
              name: texts.best(String(only.best.epoch)),
              role: 'text' as const,
              mark: 'diamond' as const,
              points: [pointOf(only.best)],
            },
          ]),
    ],
    gist: kept
      .flatMap((one) =>
        one === null ? [] : texts.devGist(one.name, axis.label, text(value(one.best)), String(one.best.epoch)),
      )
      .join(' '),
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
    format: axisNumber,
    ticks: 8,
    whole: true,
  };
}
