interface Archive {
  file: string;
  bytes?: number;
  sha256: string;
  package?: string;
  version: string;
  url?: string;
}
export function archivesFor(source: 'wheel' | 'google', gpu: boolean, system: string): Archive[];
export function knownArchive(file: string): Archive | undefined;
export function requireChecksum(file: string, expected: string, found: string): void;
export function placeOfWheelMember(name: string): string | undefined;
export function parseArguments(args: string[]): {
  gpu: boolean;
  from: string | undefined;
  remove: boolean;
  cache: boolean;
  help: boolean;
};
