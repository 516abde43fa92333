/** A dataset's spec as a short name: the last folder of each part; of a table with the file's name. */
export function datasetName(spec: string): string {
  return spec
    .split(/\+(?=[a-z0-9-]+:)/)
    .map((part) => {
      const path = part.replace(/^[a-z0-9-]+:/, '');
      const names = path.split(/[/\\]/).filter((name) => name !== '');
      // Tables are all called alike: their folder says which.
      return names.slice(part.startsWith('manifest:') ? -2 : -1).join('/') || part;
    })
    .join(' + ');
}
