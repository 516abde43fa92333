export function extractFromZip(
  path: string,
  select: (name: string) => string | undefined,
  folder: string,
  onBytes?: (bytes: number) => void,
): Promise<string[]>;
