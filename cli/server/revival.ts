/** A model whose device was lost is loaded anew, once for all whose work failed with it. */
import { type Model, WebggufError } from "../../mod.ts";

/** Devices that one piece of work may lose. */
const ATTEMPTS = 3;

export class Revival {
  readonly #model: Model;
  readonly #failed: () => void;
  #times = 0;
  #going: Promise<void> | undefined;

  /** @param failed called when the model cannot be loaded anew */
  constructor(model: Model, failed: () => void) {
    this.#model = model;
    this.#failed = failed;
  }

  /** Does `work` again when the device goes away under it. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let begun = 0; ; begun++) {
      const seen = this.#times;
      try {
        return await work();
      } catch (error) {
        if (begun === ATTEMPTS) throw error;
        await this.#after(error, seen, signal);
      }
    }
  }

  /**
   * The values of `work` as if no device was ever lost: what gives the same values each time is begun
   * again, and those that were given are passed over. `work` is told how often it was begun before; what
   * is not `lasting` it gives the first time alone.
   */
  async *iterate<T, R>(
    work: (begun: number) => AsyncGenerator<T, R, undefined>,
    lasting: (value: T) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<T, R, undefined> {
    let given = 0;
    for (let begun = 0; ; begun++) {
      const seen = this.#times;
      const values = work(begun);
      let passed = 0;
      try {
        for (;;) {
          const next = await values.next();
          if (next.done) return next.value;
          if (lasting(next.value)) {
            if (passed++ < given) continue;
            given++;
          }
          yield next.value;
        }
      } catch (error) {
        if (begun === ATTEMPTS) throw error;
        await this.#after(error, seen, signal);
      } finally {
        await values.return(undefined as R);
      }
    }
  }

  /** Resolves when the device is there again; throws what is no loss of it. */
  async #after(error: unknown, seen: number, signal: AbortSignal): Promise<void> {
    if (!(error instanceof WebggufError) || error.code !== "device/lost") throw error;
    signal.throwIfAborted();
    // Another's failure may have brought it back already.
    if (this.#times > seen) return;
    this.#going ??= this.#model
      .restore()
      .then(() => void this.#times++, this.#giveUp)
      .finally(() => {
        this.#going = undefined;
      });
    await this.#going;
    signal.throwIfAborted();
  }

  readonly #giveUp = (error: unknown): never => {
    this.#failed();
    throw error;
  };
}
