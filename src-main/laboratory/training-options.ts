/** What a training is asked for. */
import type { FrontEndName } from '../../src-common/front-ends.ts';
import type { BackendName } from '../training/backends/index.ts';
import type { AugmentationName, BandName } from './recipes.ts';

export interface TrainingOptions {
  dataset: string;
  /** The network that is trained, where no members are named. */
  network: string;
  /** Members of a model that has several: see {@link memberRecipe}. */
  members?: readonly string[] | undefined;
  /** The model's folder. */
  out: string;
  /** Defaults to the folder's name. */
  name?: string;
  backend: BackendName | 'auto';
  /** What follows is as the network's recipe says where it is not given. */
  epochs?: number | undefined;
  batchSize?: number | undefined;
  learningRate?: number | undefined;
  /** Stops after so many epochs without a better AUC on dev, where dev chooses the epoch. */
  patience?: number | undefined;
  /** Decoupled weight decay, and steps of the weights' running average (0: none). */
  weightDecay?: number | undefined;
  averagedSteps?: number | undefined;
  /** Front end of a network that is trained from nothing. */
  frontEnd?: FrontEndName | undefined;
  seed: number;
  /** How examples are varied, where a network is trained from nothing: as suits the network if not given. */
  augmentation?: AugmentationName | 'auto' | undefined;
  /** What it is made for, where nothing is trained on from; by default all of the sound. */
  band?: BandName | undefined;
  /** Folds of sources whose out-of-fold scores calibrate the model; null: dev does. */
  folds: number | null;
  /** Copies of what is trained on, through codecs and the like: encoders' heads learn from those of the `train` split, too. */
  copies?: string | undefined;
  /**
   * Other copies of the same recordings, on whose `train` split the folds' scores are taken, and on whose `dev` and `test` the model
   * is measured; only with folds.
   */
  calibrateOn?: string | undefined;
  /** Recordings whose sound ends below it are not assessable, in Hz; by default as band and front ends ask. */
  leastBandwidthHz?: number | undefined;
  /** Findings may be wrong in at most this share of recordings of either class (see `calibrate`). */
  maximumErrorRate: number;
  /** ffmpeg's names of codecs that the model is known to misjudge: what is coded so is not assessable. */
  misjudgedCodecs?: readonly string[];
  /** A model to train on from, with its network, front end and conditioning. */
  from?: string;
  resume: boolean;
  /** Leaves the members' checkpoints and those of folds where they are, for another model of some of them. */
  keepCheckpoints?: boolean | undefined;
  /** Further sentences for the card: terms of the data, for instance. */
  notes: string[];
}
