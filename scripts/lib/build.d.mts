export const builtProgram: string;
export function build(node: string): Promise<void>;
