export function compareVersions(left: string, right: string): number;
export function isUsableNode(version: string): boolean;
export function nodePackageFor(platform: string, arch: string): { name: string; binary: string } | undefined;
