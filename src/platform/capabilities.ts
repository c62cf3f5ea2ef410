/** What a device can do. Apart from the rest, because users meet it and it names no type of WebGPU. */

/** What was found and what the engine will use: one record, made once. */
export interface Capabilities {
  /** For people: "NVIDIA H200", "SwiftShader Device (Subzero)". */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A CPU pretending to be a GPU. */
  readonly software: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** Lanes; both 0 without subgroups. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  /** dot4I8Packed in the language. */
  readonly packedDot: boolean;
  readonly timestamps: boolean;
  /** The device's limits, which are the adapter's best, by WebGPU's names. */
  readonly limits: Readonly<Record<string, number>>;
  /** All features of the adapter, sorted; the device has those the engine can use. */
  readonly features: readonly string[];
}
