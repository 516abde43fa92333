/** What a training's events make of its record: how far each member is, and its curves. */
import type { Training, TrainingMember } from '../../src-common/schemas/training.ts';
import type { TrainingRecord } from './train-record.ts';
import type { TrainModelEvent } from './train-model.ts';

/** Points of the loss curve, at most. */
const mostSteps = 2000;
const mostMessages = 500;

/** What an event says of the job. */
interface JobUpdate {
  progress?: { done?: number; total?: number | null; doing?: string };
  problem?: { subject: string; message: string };
  /** Whether the record should be written at once. */
  save?: boolean;
}

const epochsIn = (members: readonly TrainingMember[]): number =>
  members.reduce((sum, { planned }) => sum + (planned ?? 0), 0);

/** Epochs of all networks, those of the folds included, at most; null where heads of encoders alone are fitted. */
export function epochsOf({ members, folds }: Pick<Training, 'members' | 'folds'>): number | null {
  const epochs = folds * epochsIn(members.filter(({ inFolds }) => inFolds)) + epochsIn(members);
  return epochs === 0 ? null : epochs;
}

/** Epochs of the networks that come before a member of the fold at work. */
function epochsBefore({ members, fold, folds }: Training, member: TrainingMember): number {
  const inFolds = members.filter(({ inFolds }) => inFolds);
  const now = fold === 0 ? members : inFolds;
  const before = now.slice(0, now.indexOf(member));
  return (fold === 0 ? folds : fold - 1) * epochsIn(inFolds) + epochsIn(before);
}

/** The work has stopped: what was at work waits. */
export function markStopped(training: Training): void {
  const running = training.members.find(({ state }) => state === 'running');
  if (running) running.state = 'waiting';
  Object.assign(training, { clipsPerSecond: null, secondsLeft: null });
}

/** Follows one run of a training. */
export class TrainingFollower {
  readonly #record: TrainingRecord;
  /** The fold that begins with the next member: one that was done before is passed over. */
  #nextFold: number;
  /** Loss so far in this epoch, to tell that of a single step. */
  #sum = { epoch: 0, step: 0, loss: 0 };
  /** When the encoder at work began, and what it had then. */
  #since = { at: 0, done: 0 };

  constructor(record: TrainingRecord) {
    this.#record = record;
    this.#nextFold = record.training.fold;
  }

  get #training(): Training {
    return this.#record.training;
  }

  get #running(): TrainingMember | undefined {
    return this.#training.members.find(({ state }) => state === 'running');
  }

  /** Takes an event in, and answers what it says of the job. */
  hear(event: TrainModelEvent): JobUpdate {
    const training = this.#training;
    switch (event.type) {
      case 'data':
        training.counts = { train: event.train, dev: event.dev, test: event.test };
        if (event.note) this.#say(event.note);
        return { save: true };
      case 'backend':
        training.backend = { ...event.choice };
        return { save: true };
      case 'plan':
        this.#plan(event);
        return { progress: { total: epochsOf(training) }, save: true };
      case 'fold':
        this.#rest();
        this.#nextFold = event.fold;
        training.folds = event.folds;
        this.#say(`Fold ${event.fold} of ${event.folds}: without ${event.recordings} recordings of some sources.`);
        return { progress: { total: epochsOf(training) } };
      case 'whole':
        this.#rest();
        this.#nextFold = 0;
        this.#say('What is kept, on all recordings.');
        return {};
      case 'member':
        this.#begin(event.name);
        return {
          progress: { doing: this.#doing(this.#running?.planned === null ? 'its head' : 'beginning') },
          save: true,
        };
      case 'prepare':
        return { progress: { doing: this.#doing(`reading ${event.done} of ${event.total} recordings`) } };
      case 'embed':
        return this.#embedded(event);
      case 'excluded':
        this.#say(`Left out ${event.path}: ${event.why}`);
        return { problem: { subject: event.path, message: event.why } };
      case 'resumed':
        this.#resumed(event);
        return {};
      case 'step':
        return this.#step(event);
      case 'epoch':
        this.#epoch(event);
        return { save: true };
      case 'score':
        this.#rest();
        return { progress: { doing: `Measuring on ${event.split}: ${event.done} of ${event.total}` } };
      case 'join':
        this.#rest();
        return { progress: { doing: 'Joining the members' } };
      case 'joined':
        for (const { name, weight, eer, auc } of event.members) {
          const member = training.members.find((one) => one.name === name);
          if (member) member.joined = { weight, eer, auc };
        }
        return { save: true };
      case 'calibrate':
        return { progress: { doing: 'Calibrating' } };
    }
  }

  #say(message: string): void {
    const { messages } = this.#training;
    if (messages.at(-1) !== message) messages.push(message);
    messages.splice(0, messages.length - mostMessages);
  }

  /** What is done, with the fold and the member that it is done for. */
  #doing(what: string): string {
    const { fold, folds, members } = this.#training;
    const parts = [
      ...(fold > 0 ? [`fold ${fold} of ${folds}`] : []),
      ...(members.length > 1 ? [`member ${this.#running?.name ?? ''}`] : []),
      what,
    ];
    const words = parts.join(', ');
    return words[0].toUpperCase() + words.slice(1);
  }

  /** The members that are planned; those of a run before keep their curves. */
  #plan({ members }: TrainModelEvent & { type: 'plan' }): void {
    const training = this.#training;
    const before = new Map(training.members.map((member) => [member.name, member]));
    training.members = members.map(({ name, epochs, inFolds }) => ({
      embedded: null,
      steps: [],
      epochs: [],
      joined: null,
      ...before.get(name),
      name,
      kind: epochs === null ? 'encoder' : 'network',
      planned: epochs,
      inFolds,
      state: 'waiting',
    }));
    training.folds = Math.max(training.folds, training.request.folds ?? 0);
  }

  /** The member at work is done. */
  #rest(): void {
    const running = this.#running;
    if (running) running.state = 'done';
    Object.assign(this.#training, { clipsPerSecond: null, secondsLeft: null });
  }

  #begin(name: string): void {
    const training = this.#training;
    this.#rest();
    if (training.fold !== this.#nextFold) {
      training.fold = this.#nextFold;
      for (const member of training.members) this.#clear(member);
    }
    const member = training.members.find((one) => one.name === name);
    if (member) member.state = 'running';
    this.#sum = { epoch: 0, step: 0, loss: 0 };
    this.#since = { at: performance.now(), done: 0 };
  }

  #clear(member: TrainingMember): void {
    Object.assign(member, { state: 'waiting', steps: [], epochs: [] });
    delete this.#record.thinning[member.name];
  }

  #embedded({ done, total }: TrainModelEvent & { type: 'embed' }): JobUpdate {
    const member = this.#running;
    if (member) member.embedded = { done, total };
    const seconds = (performance.now() - this.#since.at) / 1000;
    this.#training.clipsPerSecond = seconds > 1 ? (done - this.#since.done) / seconds : null;
    return { progress: { doing: this.#doing(`embeddings ${done} of ${total} clips`) } };
  }

  /** What was done after the checkpoint is done again. */
  #resumed({ epoch, step }: TrainModelEvent & { type: 'resumed' }): void {
    const member = this.#running;
    if (!member) return;
    const thinning = this.#record.thinning[member.name];
    const at = epoch + (thinning ? step / thinning.stepsPerEpoch : 0);
    member.steps = member.steps.filter((one) => one.epoch <= at + 1e-9);
    member.epochs = member.epochs.filter((one) => one.epoch <= epoch);
    if (thinning) Object.assign(thinning, { count: 0, loss: 0 });
    const whose = this.#training.members.length > 1 ? `Member ${member.name}: going on` : 'Going on';
    this.#say(`${whose} after epoch ${epoch}, step ${step}.`);
  }

  #step(event: TrainModelEvent & { type: 'step' }): JobUpdate {
    const training = this.#training;
    const member = this.#running;
    if (!member) return {};
    const { epoch, epochs, step, steps, clipsPerSecond, secondsLeft } = event;
    if (epoch === 1 && step === 1) this.#clear(member);
    member.state = 'running';
    this.#addStep(member, event);
    const done = epoch - 1 + step / steps;
    const perEpoch = secondsLeft / Math.max(1e-9, epochs - done);
    const before = epochsBefore(training, member);
    training.clipsPerSecond = clipsPerSecond;
    training.secondsLeft = secondsLeft + ((epochsOf(training) ?? 0) - before - epochs) * perEpoch;
    return { progress: { done: before + done, doing: this.#doing(`epoch ${epoch} of ${epochs}`) } };
  }

  /** Loss of single steps as a curve of bounded length. */
  #addStep(member: TrainingMember, { epoch, step, steps, loss }: TrainModelEvent & { type: 'step' }): void {
    const thinning = (this.#record.thinning[member.name] ??= { stepsPerEpoch: steps, stride: 1, count: 0, loss: 0 });
    const total = loss * step;
    const follows = this.#sum.epoch === epoch && this.#sum.step === step - 1;
    const single = follows ? total - this.#sum.loss : loss;
    this.#sum = { epoch, step, loss: total };
    thinning.count++;
    thinning.loss += single;
    if (thinning.count < thinning.stride) return;
    member.steps.push({ epoch: epoch - 1 + step / steps, loss: thinning.loss / thinning.count });
    Object.assign(thinning, { count: 0, loss: 0 });
    if (member.steps.length <= mostSteps) return;
    // Two points become one.
    const halved: TrainingMember['steps'] = [];
    for (let i = 0; i + 1 < member.steps.length; i += 2) {
      const [one, other] = [member.steps[i], member.steps[i + 1]];
      halved.push({ epoch: other.epoch, loss: (one.loss + other.loss) / 2 });
    }
    member.steps = halved;
    thinning.stride *= 2;
  }

  #epoch({ epoch, loss, devEer, devAuc, best }: TrainModelEvent & { type: 'epoch' }): void {
    const member = this.#running;
    if (!member) return;
    if (best) for (const one of member.epochs) one.best = false;
    member.epochs = [...member.epochs.filter((one) => one.epoch < epoch), { epoch, loss, devEer, devAuc, best }];
  }
}
