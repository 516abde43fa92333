/** Elements of ASN.1 as asn1js reads them, by tag and place. What is not as it should be is `NotAsAsked`. */
import { BitString, Enumerated, fromBER, Integer, ObjectIdentifier, OctetString } from 'asn1js';
import type { AsnType } from 'asn1js';

/** Bytes that do not hold what they should. */
export class NotAsAsked extends Error {}

/** The tag of a context's `[n]`. */
export const context = (n: number): number => 0xa0 + n;
export const sequence = 0x10;
export const set = 0x11;

const contextClass = 3;
/** A token with all its certificates takes some thousands. */
export const mostBytes = 2 ** 17;

export class Element {
  readonly #block: AsnType;

  private constructor(block: AsnType) {
    this.#block = block;
  }

  /** @throws NotAsAsked where the bytes are not one element, whole */
  static read(bytes: Uint8Array): Element {
    if (bytes.length > mostBytes) throw new NotAsAsked('it is too long');
    let read: ReturnType<typeof fromBER> | null = null;
    try {
      read = fromBER(Uint8Array.from(bytes));
    } catch {
      // Said below, as where it answers with an error.
    }
    if (read?.offset !== bytes.length) throw new NotAsAsked('it is not in ASN.1, or not whole');
    return new Element(read.result);
  }

  /** The number of a universal tag; of the context's, see {@link context}. */
  get tag(): number {
    const { tagClass, tagNumber } = this.#block.idBlock;
    return tagClass === contextClass ? context(tagNumber) : tagNumber;
  }

  /** With tag and length. */
  get bytes(): Uint8Array {
    return this.#block.valueBeforeDecodeView;
  }

  /** What it is made of; none of a primitive one. */
  get parts(): Element[] {
    const { value } = this.#block.valueBlock as { value?: unknown };
    return Array.isArray(value) ? (value as AsnType[]).map((block) => new Element(block)) : [];
  }

  /** @throws NotAsAsked where it has no such part, or one of another tag */
  part(index: number, tag?: number): Element {
    const found = this.parts.at(index);
    if (!found || (tag !== undefined && found.tag !== tag)) throw new NotAsAsked('a part of it is missing');
    return found;
  }

  /** The first part of a tag, if it has one. */
  find(tag: number): Element | null {
    return this.parts.find((one) => one.tag === tag) ?? null;
  }

  get oid(): string {
    if (!(this.#block instanceof ObjectIdentifier)) throw new NotAsAsked('an identifier is missing');
    return this.#block.getValue();
  }

  get integer(): bigint {
    if (!(this.#block instanceof Integer || this.#block instanceof Enumerated))
      throw new NotAsAsked('a number is missing');
    return this.#block.toBigInt();
  }

  get octets(): Uint8Array {
    if (!(this.#block instanceof OctetString)) throw new NotAsAsked('bytes are missing');
    return new Uint8Array(this.#block.getValue());
  }

  /** Numbers of the bits that are set. */
  get bits(): number[] {
    if (!(this.#block instanceof BitString)) throw new NotAsAsked('bits are missing');
    const bytes = this.#block.valueBlock.valueHexView;
    return [...bytes].flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => 8 * at + bit),
    );
  }

  /** The content of a primitive one. */
  get content(): Uint8Array {
    const { valueHexView } = this.#block.valueBlock as { valueHexView?: Uint8Array };
    if (!valueHexView) throw new NotAsAsked('a value is missing');
    return valueHexView;
  }
}
