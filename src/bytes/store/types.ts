/** What the store of models is asked, and what it answers. */
import type { ByteSource } from "../../base/source.ts";
import type { DownloadProgress } from "./progress.ts";

export interface StoreOptions {
  /** Whether what is fetched is kept for the next time; what is there is used anyway. @default true */
  readonly cache?: boolean;
  /** Of what is not there, the header alone is fetched, at most 8 MiB. @default false */
  readonly headerOnly?: boolean;
  /** No request is made: what is not there is an error. @default false */
  readonly offline?: boolean;
  /** The hub. @default `MODEL_ENDPOINT`, `HF_ENDPOINT`, https://huggingface.co */
  readonly endpoint?: string;
  /** For gated and private repositories. @default `HF_TOKEN`; not in browsers, which may not send it */
  readonly token?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly onNotice?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A file on its way, or at its place. */
export interface StoredSource extends ByteSource {
  /** Where the file is, if it was whole from the start. */
  readonly place?: string;
  /** Resolves when the file is there, checked and kept: false where it is read from the server without keeping it. */
  whole(): Promise<boolean>;
  /** Opens another part of a split model by its name, of the same version and with the same options. */
  beside(name: string): Promise<StoredSource>;
}

/** A model in the store, or part of one. */
export interface StoredModel {
  /** What opens it. */
  readonly reference: string;
  /** Where its first file is. */
  readonly path: string;
  /** Bytes of all its files. */
  readonly bytes: number;
  /** Bytes that are there; fewer than `bytes` where the download has not ended. */
  readonly loaded: number;
  /** Of files from a hub. */
  readonly commit?: string;
}

/** What came of comparing a file with its digest. */
export interface Verified {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** What it should be; undefined where nobody has said. */
  readonly expected?: string;
  readonly ok: boolean;
}

/** A model that a reference may stand for. */
export interface Candidate {
  readonly reference: string;
  /** Bytes of all its files; undefined where only the server knows. */
  readonly bytes?: number;
}

/** Bytes on the disk, or of the origin's share in a browser. */
export interface StoreSpace {
  /** Of all models that are kept. */
  readonly used: number;
  readonly free?: number;
  readonly quota?: number;
}

export interface ModelStore {
  open(reference: string, options: StoreOptions): Promise<StoredSource>;
  pull(reference: string, options: StoreOptions): Promise<StoredModel>;
  list(): Promise<StoredModel[]>;
  /** Bytes that became free. */
  remove(reference: string): Promise<number>;
  verify(reference: string, options: StoreOptions): Promise<Verified[]>;
  /** All models of a repository, or the one that is meant. */
  candidates(reference: string, options: StoreOptions): Promise<Candidate[]>;
  space(): Promise<StoreSpace>;
}
