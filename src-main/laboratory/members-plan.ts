/** Which members a training makes, and how each is trained. */
import { UserFacingError } from '../base/errors.ts';
import { createNetwork } from '../detector/network.ts';
import { findModel, readModel, readWeights } from '../detector/store.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { BackendChoice } from '../training/backends/index.ts';
import type { ExampleSettings } from '../training/examples.ts';
import type { TrainingPlan } from '../training/train.ts';
import { memberName, memberRecipe, membersSettings, periodicityFrontEnd, recipeFor } from './recipes.ts';
import { recipeToTrainOn, settingsFor } from './recipes.ts';
import type { Recipe } from './recipes.ts';
import { EncoderTrainer, NetworkTrainer, TreesTrainer } from './train-members.ts';
import type { MemberTrainer } from './train-members.ts';
import type { TrainingOptions } from './training-options.ts';

/** What of the recipe was asked for otherwise. */
function given(request: TrainingOptions): Partial<Recipe> {
  const { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps } = request;
  const asked = { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** What the members of a model have in common, and how each is made. */
export interface MembersPlan {
  settings: Pick<ExampleSettings, 'conditioning' | 'window'>;
  trainers: MemberTrainer[];
}

/** A network's plan; its frames follow from its window. */
function networkPlan(
  request: TrainingOptions,
  choice: BackendChoice,
  asked: { network: string; settings: ExampleSettings; recipe: Partial<Recipe>; seed: number },
): TrainingPlan {
  const { settings } = asked;
  const frontEnd = createFrontEnd(settings.frontEnd);
  const frames = frontEnd.frameCount(Math.round(settings.window.seconds * settings.conditioning.sampleRateHz));
  return {
    network: createNetwork(asked.network, frontEnd.bins, frames, frontEnd.planes),
    settings,
    seed: asked.seed,
    ...recipeFor(asked.network),
    ...asked.recipe,
    ...given(request),
    backend: choice.name,
  };
}

const aloneFiles = { onnx: 'model.onnx', weights: 'weights.safetensors' };

/** One network, fresh or trained on from another model's. */
async function networkAlone(request: TrainingOptions, choice: BackendChoice): Promise<MembersPlan> {
  if (request.from === undefined) {
    const settings = settingsFor(request);
    const plan = networkPlan(request, choice, { network: request.network, settings, recipe: {}, seed: request.seed });
    return { settings, trainers: [new NetworkTrainer('network', plan, aloneFiles, null)] };
  }
  const from = await readModel(await findModel(request.from));
  const [member, ...others] = from.card.members;
  if (member.kind !== 'network' || others.length > 0) {
    throw new UserFacingError('usage', `The model ${from.card.name} has several members: none is trained on alone.`, {
      advice: 'Train on from a model of one network.',
    });
  }
  const { conditioning, window } = from.card;
  const { augmentation, cropSeconds } = member.training;
  const plan: TrainingPlan = {
    network: member.network,
    settings: {
      conditioning,
      window,
      frontEnd: member.frontEnd,
      augmentation,
      ...(cropSeconds === undefined ? {} : { cropSeconds }),
    },
    seed: request.seed,
    ...recipeToTrainOn(member.network.name),
    ...given(request),
    backend: choice.name,
    from: await readWeights(from, member),
  };
  const origin = { name: from.card.name, onnxSha256: from.onnxSha256 };
  return { settings: plan.settings, trainers: [new NetworkTrainer('network', plan, aloneFiles, origin)] };
}

/** Several members; seeds of one network after the first are `linear-2` and so on. */
async function severalMembers(
  request: TrainingOptions,
  names: readonly string[],
  choice: BackendChoice,
): Promise<MembersPlan> {
  const { conditioning, window } = membersSettings(request.band);
  const trainers: MemberTrainer[] = [];
  for (const name of names) {
    const recipe = memberRecipe(name);
    if (recipe.kind === 'encoder') {
      const settings = { conditioning, window };
      const create = { ...recipe, name: memberName(name), settings, seed: request.seed };
      trainers.push(await EncoderTrainer.create(create));
      continue;
    }
    if (recipe.kind === 'trees') {
      const frontEnd = periodicityFrontEnd(request.band);
      const settings = { conditioning, window };
      trainers.push(new TreesTrainer({ name, frontEnd, settings, recipe: recipe.training, seed: request.seed }));
      continue;
    }
    const { network, frontEnd, training, seedAfter } = recipe;
    const { augmentation, band } = request;
    const settings = settingsFor({ network, frontEnd, augmentation, band });
    const plan = networkPlan(request, choice, { network, settings, recipe: training, seed: request.seed + seedAfter });
    trainers.push(new NetworkTrainer(name, plan, { onnx: `${name}.onnx`, weights: `${name}.safetensors` }, null));
  }
  return { settings: { conditioning, window }, trainers };
}

/** @throws UserFacingError `usage`, `model` for what there is not. */
export async function planMembers(request: TrainingOptions, choice: BackendChoice): Promise<MembersPlan> {
  return request.members === undefined
    ? networkAlone(request, choice)
    : severalMembers(request, request.members, choice);
}
