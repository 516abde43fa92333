/** What of a training can be refused before a recording is read, and which members it can have here. */
import { UserFacingError } from '../base/errors.ts';
import { codecNames } from '../degradation/codec.ts';
import { findEncoderCard, listEncoders } from '../detector/encoders/encoder.ts';
import type { EncoderCard } from '../detector/encoders/encoder.ts';
import type { ExampleSettings } from '../training/examples.ts';
import { memberName, memberRecipe, membersSettings } from './recipes.ts';
import type { BandName } from './recipes.ts';

type Windows = Pick<ExampleSettings, 'conditioning' | 'window'>;

/** Of an encoder that a member would need. */
export function notOnThisMachine(encoder: string): UserFacingError {
  return new UserFacingError('model', `The encoder ${encoder} is not on this machine.`, {
    advice: 'Add it (in Models, or by earwitness encoder add), or train without it.',
  });
}

/** @throws UserFacingError `model` where an encoder takes other windows than the other members. */
export function mustFitWindows({ name, input }: EncoderCard, { conditioning, window }: Windows): void {
  const { sampleRateHz, samples } = input;
  if (sampleRateHz === conditioning.sampleRateHz && samples === Math.round(window.seconds * sampleRateHz)) return;
  throw new UserFacingError('model', `The encoder ${name} takes ${samples} samples at ${sampleRateHz} Hz.`, {
    advice: 'Its windows must be those of the other members.',
  });
}

/** @throws UserFacingError `usage`, `model` for a member that there is not, or not here. */
async function checkMember(name: string, settings: Windows): Promise<void> {
  const recipe = memberRecipe(name);
  if (recipe.kind !== 'encoder') return;
  const found = await findEncoderCard(recipe.encoder);
  if (found === null) throw notOnThisMachine(recipe.encoder);
  mustFitWindows(found.card, settings);
}

/** What is asked for, as far as it is looked at here. */
interface Choices {
  members?: readonly string[] | undefined;
  from?: string | undefined;
  copies?: string | undefined;
  calibrateOn?: string | undefined;
  folds: number | null;
  band?: BandName | undefined;
  misjudgedCodecs?: readonly string[] | undefined;
}

/** @throws UserFacingError `usage` for a codec that no recording is ever said to have */
async function checkCodecs(codecs: readonly string[]): Promise<void> {
  const names = codecs.length > 0 ? await codecNames() : [];
  const unknown = codecs.find((codec) => !names.includes(codec));
  if (unknown === undefined) return;
  throw new UserFacingError('usage', `ffmpeg knows no audio codec "${unknown}".`, {
    advice: 'Name it as ffmpeg and analyses do, for instance opus, aac, mp3 or amr_nb (all: ffmpeg -codecs).',
  });
}

/** @throws UserFacingError `usage` for what does not go together, `model` for an encoder that is not here or does not fit. */
export async function checkTraining(asked: Choices): Promise<void> {
  const { members, from, copies, calibrateOn, folds, band, misjudgedCodecs = [] } = asked;
  if (calibrateOn !== undefined && folds === null) {
    throw new UserFacingError('usage', 'To calibrate on other copies, folds must leave their sources out.', {
      advice: 'Calibrate on folds of sources (--folds source).',
    });
  }
  if (copies !== undefined && !members?.some((name) => memberRecipe(name).kind !== 'network')) {
    throw new UserFacingError('usage', 'Networks learn from the recordings themselves: no member learns from copies.', {
      advice: 'Leave the copies out, or take an encoder or `periodicity` among the members.',
    });
  }
  await checkCodecs(misjudgedCodecs);
  if (members === undefined) return;
  if (from !== undefined) {
    throw new UserFacingError('usage', 'A model of several members is trained from scratch, not from another model.', {
      advice: 'Leave the model to train on from out, or train one network.',
    });
  }
  const settings = membersSettings(band);
  const names = members.map(memberName);
  for (const [index, name] of members.entries()) {
    if (names.indexOf(names[index]) !== index) {
      throw new UserFacingError('usage', `The member "${names[index]}" is named twice.`, {
        advice: 'Name each once; another seed of a network is linear-2, for instance.',
      });
    }
    await checkMember(name, settings);
  }
}

/** A member to choose. */
export interface MemberChoice {
  /** As in `--members`. */
  name: string;
  kind: 'network' | 'encoder' | 'trees';
  /** Of an encoder that was added: what its card says. */
  description: string | null;
  /** Why it cannot be had here; null where it can. */
  why: string | null;
}

/** The members that a model of several can have: networks, the encoder that ships, and those that were added. */
export async function memberChoices(): Promise<MemberChoice[]> {
  const settings = membersSettings('full');
  const added = (await listEncoders()).filter(({ brought }) => brought !== undefined);
  const choices = [
    ...['linear', 'linear-2', 'mel', 'phase', 'encoder', 'periodicity'].map((name) => ({ name, description: null })),
    ...added.map(({ name, description }) => ({ name: `encoder:${name}`, description })),
  ];
  const found: MemberChoice[] = [];
  for (const { name, description } of choices) {
    const why = await checkMember(name, settings).then(
      () => null,
      (error: unknown) => {
        if (error instanceof UserFacingError) return error.message;
        throw error;
      },
    );
    found.push({ name, kind: memberRecipe(name).kind, description, why });
  }
  return found;
}
