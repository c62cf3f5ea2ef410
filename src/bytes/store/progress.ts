/** How a download gets on: bytes, rate and what is left. */

export interface DownloadProgress {
  readonly stage: "download";
  /** Bytes that are there, and of the whole file. */
  readonly loaded: number;
  readonly total: number;
  /** Bytes a second in the last few seconds; 0 where none come, or all were there. */
  readonly rate: number;
  /** Seconds until the end at this rate; undefined as long as that is not known. */
  readonly secondsLeft?: number;
  /** URL, or the place where it was found. */
  readonly from: string;
}

/** Milliseconds that a rate is taken over, and between two reports. */
const WINDOW = 5000;
const PAUSE = 100;

export class Meter {
  readonly #samples: { at: number; loaded: number }[] = [];
  #told = Number.NEGATIVE_INFINITY;

  /** What is to be told, if it is time for that. */
  measure(loaded: number, total: number, from: string): DownloadProgress | undefined {
    const at = performance.now();
    if (at - this.#told < PAUSE && loaded < total) return undefined;
    this.#told = at;
    this.#samples.push({ at, loaded });
    while (this.#samples.length > 2 && at - this.#samples[0].at > WINDOW) this.#samples.shift();
    const [first] = this.#samples;
    const rate = at > first.at ? (1000 * (loaded - first.loaded)) / (at - first.at) : 0;
    return {
      stage: "download",
      loaded,
      total,
      rate,
      ...(rate > 0 && { secondsLeft: (total - loaded) / rate }),
      from,
    };
  }
}
