/** How networks and members are trained unless asked otherwise. */
import type { FrontEndName } from '../../src-common/front-ends.ts';
import type { Conditioning } from '../audio/condition.ts';
import { UserFacingError } from '../base/errors.ts';
import { defaultAugmentation } from '../detector/augmentation.ts';
import type { Augmentation } from '../detector/augmentation.ts';
import type { ExampleSettings } from '../training/examples.ts';
import { networkNames } from '../detector/network.ts';
import type { TrainingPlan } from '../training/train.ts';
import type { WindowPlan } from '../detector/windows.ts';
import type { TreesMember } from '../detector/member.ts';
import type { FrontEndParameters, PeriodicityParameters } from '../features/front-end.ts';

const conditioning: Conditioning = {
  sampleRateHz: 16_000,
  bandHz: [70, 7400],
  activeRangeDb: 40,
  windowLevelDbfs: -25,
  speech: 'silero-vad-v5',
};

/** What of sound a model is made for: all that clips hold, or what a telephone leaves of it. */
export type BandName = 'full' | 'telephone';

/** A telephone's 300 to 3,400 Hz (ITU-T G.712), whatever the recording holds besides. */
const telephoneConditioning: Conditioning = { ...conditioning, bandHz: [300, 3400] };

/** Below what a telephone leaves, speech is muffled otherwise. */
const telephoneLeastHz = 2000;

const framing = {
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 400,
  hopLength: 160,
  window: 'hann',
  center: false,
  fMin: 70,
  fMax: 7200,
} as const;

type WithoutFloor<Parameters> = Parameters extends unknown ? Omit<Parameters, 'floorPower' | 'addedPower'> : never;

/** The front ends that a network can be trained on, 25 ms windows every 10 ms. */
const frontEnds = {
  mel: { type: 'mel', ...framing, nMels: 80, melScale: 'slaney', norm: 'slaney' },
  linear: { type: 'linear', ...framing, fMin: 93.75, fMax: 7312.5 },
  phase: { type: 'phase', ...framing, fMin: 93.75, fMax: 7312.5 },
  // 20 coefficients with their first and second differences, as the baselines of ASVspoof.
  lfcc: { type: 'lfcc', ...framing, nFilters: 20, nCoefficients: 20, deltas: 2, deltaFrames: 5 },
} satisfies Record<FrontEndName, WithoutFloor<FrontEndParameters>>;

/** By what a front end's bands divide the power of the transform's bins: filters of equal area give it by Hz. */
const powerScale: Record<FrontEndName, number> = {
  mel: framing.sampleRateHz / framing.nFft,
  linear: 1,
  phase: 1,
  lfcc: 1,
};

/** Where front ends look in telephone speech: no bin of them lies where a line leaves nothing. */
const telephoneRange = { fMin: 250, fMax: 3500 };
/** More Mel bands in that range would be narrower than the bins of an FFT of 32 ms. */
const telephoneMels = 40;
const telephoneFrontEnds = {
  mel: { ...frontEnds.mel, ...telephoneRange, nMels: telephoneMels },
  linear: { ...frontEnds.linear, ...telephoneRange },
  phase: { ...frontEnds.phase, ...telephoneRange },
  lfcc: { ...frontEnds.lfcc, ...telephoneRange },
} satisfies Record<FrontEndName, WithoutFloor<FrontEndParameters>>;
/** A stripe that masks so many bins of the whole band would mask half of the narrow one. */
const telephoneBinsShare = 0.5;

const noStripes = { timeStripes: 0, maxFrames: 0, binStripes: 0, maxBins: 0 };

/** The sound itself as it is. */
const unchanged = {
  noise: { ...defaultAugmentation.noise, probability: 0 },
  bandLimit: { ...defaultAugmentation.bandLimit, probability: 0 },
  reverberation: { ...defaultAugmentation.reverberation, probability: 0 },
  codec: { ...defaultAugmentation.codec, probability: 0 },
};

/**
 * How examples are varied. `full`: what befalls recordings (room, noise, band, codec, level) and stripes of the spectrogram
 * masked; `channel`: the former only; `light`: the sound as it is, at other levels and masked; `masked`: the sound as it is,
 * one wide stripe each of time and frequency masked; `none`: windows taken anywhere in the clip, otherwise as they are.
 */
const augmentations = {
  full: defaultAugmentation,
  channel: { ...defaultAugmentation, specAugment: noStripes },
  light: { ...defaultAugmentation, ...unchanged },
  masked: {
    ...defaultAugmentation,
    ...unchanged,
    gainDb: [0, 0],
    specAugment: { timeStripes: 1, maxFrames: 30, binStripes: 1, maxBins: 12 },
  },
  none: { ...defaultAugmentation, ...unchanged, gainDb: [0, 0], specAugment: noStripes },
} satisfies Record<string, Augmentation>;
export type AugmentationName = keyof typeof augmentations;

/** How a network is trained unless asked otherwise. */
export type Recipe = Pick<
  TrainingPlan,
  | 'epochs'
  | 'batchSize'
  | 'learningRate'
  | 'weightDecay'
  | 'averagedSteps'
  | 'patience'
  | 'keep'
  | 'sampling'
  | 'drawsPerClip'
  | 'labelSmoothing'
  | 'schedule'
>;

interface NetworkRecipe {
  frontEnd: FrontEndName;
  floorPower: number;
  /** Added to the power of each bin of the transform. */
  addedPower?: number;
  shortSound?: Conditioning['shortSound'];
  augmentation: AugmentationName;
  window: WindowPlan;
  cropSeconds?: number;
  training: Recipe;
}

const recipes: Record<string, NetworkRecipe> = {
  residual: {
    frontEnd: 'linear',
    // The rounding of 16 bits lies ten times lower: empty bands and digital silence fade, without the edge that a floor has.
    floorPower: 1e-10,
    addedPower: 1e-7,
    shortSound: 'surrounded',
    augmentation: 'masked',
    window: { seconds: 3, hopSeconds: 1.5 },
    cropSeconds: 2,
    training: {
      epochs: 8,
      batchSize: 32,
      learningRate: 0.002,
      weightDecay: 0.02,
      averagedSteps: 0,
      patience: 8,
      // So few epochs that the cycle decides when to stop: dev has no say.
      keep: 'last',
      sampling: 'sources',
      drawsPerClip: 1.5,
      labelSmoothing: 0.05,
      schedule: 'one-cycle',
    },
  },
  'mel-cnn': {
    frontEnd: 'mel',
    // About 65 dB below a window's level: what lies under it is coding and dither, not speech.
    floorPower: 1e-7,
    augmentation: 'full',
    window: { seconds: 2, hopSeconds: 1 },
    training: {
      epochs: 30,
      batchSize: 32,
      learningRate: 0.001,
      weightDecay: 0.02,
      averagedSteps: 200,
      patience: 8,
      keep: 'best',
      sampling: 'clips',
      drawsPerClip: 1,
      labelSmoothing: 0,
      schedule: 'cosine',
    },
  },
};

function networkRecipe(network: string): NetworkRecipe {
  const recipe = recipes[network];
  if (recipe === undefined) {
    throw new UserFacingError('usage', `There is no network "${network}".`, {
      advice: `Choose one of ${networkNames.join(', ')}.`,
    });
  }
  return recipe;
}

/** How the network of that name is trained. @throws UserFacingError `usage` where there is none. */
export function recipeFor(network: string): Recipe {
  return networkRecipe(network).training;
}

/** How a network of whatever name is trained on: as the one of that name, or as the plain one. */
export function recipeToTrainOn(network: string): Recipe {
  return (recipes[network] ?? recipes['mel-cnn']).training;
}

/** What a network of that name looks at. @throws UserFacingError `usage` where there is none. */
export function settingsFor(request: {
  network: string;
  frontEnd?: FrontEndName | undefined;
  augmentation?: AugmentationName | 'auto' | undefined;
  band?: BandName | undefined;
}): ExampleSettings {
  const recipe = networkRecipe(request.network);
  const { frontEnd = recipe.frontEnd, augmentation: asked = 'auto', band = 'full' } = request;
  const augmentation: Augmentation = augmentations[asked === 'auto' ? recipe.augmentation : asked];
  const { specAugment } = augmentation;
  const { shortSound, addedPower } = recipe;
  const narrow = band === 'telephone';
  const maxBins = narrow ? Math.round(telephoneBinsShare * specAugment.maxBins) : specAugment.maxBins;
  return {
    conditioning: {
      ...(narrow ? telephoneConditioning : conditioning),
      ...(shortSound === undefined ? {} : { shortSound }),
    },
    window: recipe.window,
    ...(recipe.cropSeconds === undefined ? {} : { cropSeconds: recipe.cropSeconds }),
    frontEnd: {
      ...(narrow ? telephoneFrontEnds : frontEnds)[frontEnd],
      floorPower: recipe.floorPower,
      ...(addedPower === undefined ? {} : { addedPower: addedPower / powerScale[frontEnd] }),
    },
    // Cepstral coefficients that stand beside one another have no band in common to mask.
    augmentation: {
      ...augmentation,
      specAugment: { ...specAugment, maxBins, ...(frontEnd === 'lfcc' ? { binStripes: 0 } : {}) },
    },
  };
}

/** The narrowest sound that a model of that band may judge, in Hz; null: as its front ends ask. */
export function leastBandwidthHz(band: BandName | undefined): number | null {
  return band === 'telephone' ? telephoneLeastHz : null;
}

/** How a member of a model of several is made. */
type MemberRecipe =
  | {
      kind: 'network';
      network: string;
      frontEnd: FrontEndName;
      training: Partial<Recipe>;
      /** What is added to the training's seed. */
      seedAfter: number;
    }
  /** Strength null: chosen on sources left out, as are the layers. */
  | { kind: 'encoder'; encoder: string; strength: number | null }
  | { kind: 'trees'; training: TreesMember['training'] };

const members: Record<string, MemberRecipe> = {
  linear: { kind: 'network', network: 'residual', frontEnd: 'linear', training: {}, seedAfter: 0 },
  mel: { kind: 'network', network: 'residual', frontEnd: 'mel', training: { epochs: 12 }, seedAfter: 0 },
  phase: { kind: 'network', network: 'residual', frontEnd: 'phase', training: {}, seedAfter: 0 },
  encoder: { kind: 'encoder', encoder: 'whisper-tiny-en', strength: 0.001 },
  periodicity: {
    kind: 'trees',
    training: { trees: 150, leaves: 8, learningRate: 0.05, penalty: 5, leastInLeaf: 20, valuesShare: 0.3, seeds: 3 },
  },
};

/** Rates of recordings and engines, and into how many samples of them a step of an engine, a vocoder or a codec fills up one of its own. */
const engineRatesHz = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const stepSamples = [2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 24, 25, 30, 32, 40, 48, 50, 60, 64, 75, 80, 96, 100, 120, 128, 150, 160, 192, 200, 240, 256, 300, 320, 400, 480, 512, 600, 640]; // prettier-ignore
/** Rates at which those steps come that lie between two, in Hz. */
function stepRatesHz(low: number, high: number): number[] {
  const rates = engineRatesHz.flatMap((rate) => stepSamples.map((samples) => Math.round((1e4 * rate) / samples) / 1e4));
  return [...new Set(rates)].filter((hz) => hz >= low && hz <= high).sort((one, other) => one - other);
}

/**
 * What the member of trees looks at: windows of 64 ms every 32 ms, whose bins tell rates apart that lie 16 Hz from one another, for parts of the
 * spectrum that keep their phases to one another; of 32 ms every 16 ms for phases of fixed frequencies.
 */
export function periodicityFrontEnd(band: BandName | undefined): PeriodicityParameters {
  const { fMin, fMax } = band === 'telephone' ? telephoneRange : { fMin: 93.75, fMax: 7328.125 };
  const edgesHz = [fMin, 200, 400, 800, 1600, 3200, 5000, 6500].filter((hz) => hz >= fMin && hz < fMax - 100);
  return {
    type: 'periodicity',
    ...framing,
    ...{ nFft: 1024, winLength: 1024, hopLength: 512, fMin, fMax },
    // What is digitally silent has no phase.
    floorPower: 1e-12,
    ratesHz: stepRatesHz(45, 12_001),
    mostOfPair: 8,
    locking: {
      ...{ nFft: 512, hopLength: 256, points: 256 },
      ratesHz: stepRatesHz(24, 3700),
      rangesHz: [
        [fMin, fMax],
        [fMin, 1500],
        [3000, fMax],
      ],
      bandsHz: edgesHz.map((from, index): [number, number] => [from, edgesHz[index + 1] ?? fMax]),
      quantiles: [0.5, 0.9, 0.99],
      mostOfFrequency: 30,
    },
    soundOnce: true,
  };
}

/** What every member of a model of several has in common: what is done to a recording, and its windows. */
export function membersSettings(band: BandName | undefined): Pick<ExampleSettings, 'conditioning' | 'window'> {
  const { conditioning: done, window } = settingsFor({ network: 'residual', band });
  return { conditioning: done, window };
}

/** A member's name in the card: an added encoder's own. */
export function memberName(name: string): string {
  return name.replace(/^encoder:/, '');
}

/**
 * The member of that name: `linear`, `mel` and `phase` are residual networks, `encoder` the frozen encoder with a head, `periodicity` trees on how phases are kept; `linear-2`
 * and so on are networks of further seeds, whose scores are averaged with the first's; `encoder:NAME` is an encoder that was added.
 * @throws UserFacingError `usage` where there is none.
 */
export function memberRecipe(name: string): MemberRecipe {
  const brought = /^encoder:(.+)$/.exec(name)?.[1];
  if (brought !== undefined) return { kind: 'encoder', encoder: brought, strength: null };
  const [, plain, number] = /^([a-z]+)(?:-([2-9]))?$/.exec(name) ?? [];
  const recipe = Object.hasOwn(members, plain ?? '') ? members[plain] : undefined;
  if (recipe === undefined || (recipe.kind !== 'network' && number !== undefined)) {
    throw new UserFacingError('usage', `There is no member "${name}".`, {
      advice: `Members are ${Object.keys(members).join(', ')}; further seeds of a network are ${Object.keys(members)[0]}-2 and so on, encoders that were added encoder:NAME.`,
    });
  }
  return recipe.kind === 'network' && number !== undefined ? { ...recipe, seedAfter: Number(number) - 1 } : recipe;
}
