import type { NetworkMember } from '../src-main/detector/member.ts';
import type { StoredModel } from '../src-main/detector/store.ts';

/** The first network among a model's members, and its graph: what is compared with the peer. */
export function firstNetwork({ members }: StoredModel): { member: NetworkMember; onnx: Uint8Array } {
  for (const content of members) {
    if (content.member.kind === 'network' && 'onnx' in content) return { member: content.member, onnx: content.onnx };
  }
  throw new Error('The model has no network: name another by --model.');
}
