/** A growing little-endian byte buffer. */
import type { ScalarName } from "./values.ts";
import { scalarByName } from "./values.ts";

export class Bytes {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #view: DataView = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for `more` bytes and returns where they start. */
  #reserve(more: number): number {
    const at = this.#length;
    this.#length += more;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }
  zeros(count: number): void {
    this.#reserve(count);
  }
  /** A length in 64 bits, then UTF-8. */
  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.scalar("u64", bytes.length);
    this.raw(bytes);
  }
  scalar(type: ScalarName, value: number | bigint | boolean): void {
    const at = this.#reserve(scalarByName(type).bytes);
    const view = this.#view;
    switch (type) {
      case "u64":
        view.setBigUint64(at, BigInt(value), true);
        break;
      case "i64":
        view.setBigInt64(at, BigInt(value), true);
        break;
      case "f32":
        view.setFloat32(at, Number(value), true);
        break;
      case "f64":
        view.setFloat64(at, Number(value), true);
        break;
      case "u32":
      case "i32":
        view.setUint32(at, Number(value), true);
        break;
      case "u16":
      case "i16":
        view.setUint16(at, Number(value), true);
        break;
      default:
        view.setUint8(at, Number(value));
    }
  }

  /** Everything written, as an array of exactly that length. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
