import type { SaliencySubject } from '../../../src-common/schemas/saliency.ts';
import type { Card } from '../card.ts';
import type { Member } from '../member.ts';

/** What stands beside every map. */
export const saliencyCaution =
  'Saliency shows which parts of the sound the score of this network rests on. It is no evidence, and shows no artefacts.';

/** `occlusion` or `Grad-CAM of linear`. */
export function subjectName({ method, member }: SaliencySubject): string {
  return `${method === 'occlusion' ? 'occlusion' : 'Grad-CAM'}${member === null ? '' : ` of ${member}`}`;
}

/** Whether a member is a network of our own whose front end has places in frequency, which cepstral coefficients have not. */
export function isLookedInto(member: Member): boolean {
  return member.kind === 'network' && member.frontEnd.type !== 'lfcc';
}

/** What can be explained: the model by occlusion, each of several members by occlusion, networks of our own by Grad-CAM. */
export function saliencySubjects({ members }: Pick<Card, 'members'>): SaliencySubject[] {
  const single = members.length === 1;
  return [
    { method: 'occlusion', member: null },
    ...(single ? [] : members.map(({ name }) => ({ method: 'occlusion' as const, member: name }))),
    ...members.filter(isLookedInto).map(({ name }) => ({ method: 'grad-cam' as const, member: single ? null : name })),
  ];
}
