/** Whether two texts hold the same hexadecimal digits, however a person groups and writes them. */
export function sameDigits(one: string, other: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/[^0-9a-f]/g, '');
  return plain(one) === plain(other);
}
