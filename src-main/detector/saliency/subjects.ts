import type { Card } from '../card.ts';
import type { Member } from '../member.ts';

export type SaliencyMethod = 'occlusion' | 'grad-cam';

/** What is explained, and how. */
export interface SaliencySubject {
  method: SaliencyMethod;
  /** A member's name; null for the model's score. */
  member: string | null;
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
