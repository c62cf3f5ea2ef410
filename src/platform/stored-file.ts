/** Files and folders of a browser's private file system by their paths. */

/** Of workers alone, so that the types of pages do not have them. */
interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
export type FileHandle = FileSystemFileHandle & {
  createSyncAccessHandle(): Promise<SyncHandle>;
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
};
export type Folder = FileSystemDirectoryHandle & {
  entries(): AsyncIterable<[string, FileSystemHandle]>;
};

/** What `act` gives, or undefined where the file or folder is missing. */
export async function unlessMissing<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (error) {
    if (["NotFoundError", "TypeMismatchError"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

export async function folderAt(parts: readonly string[], create: boolean): Promise<Folder> {
  let folder = await navigator.storage.getDirectory();
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder as Folder;
}

/** A path's folder and the name in it. */
export async function placeOf(
  path: string,
  create = false,
): Promise<{ readonly folder: Folder; readonly name: string }> {
  const parts = path.split("/");
  const name = parts.pop() as string;
  return { folder: await folderAt(parts, create), name };
}

export async function handleOf(path: string, create = false): Promise<FileHandle> {
  const { folder, name } = await placeOf(path, create);
  return (await folder.getFileHandle(name, { create })) as FileHandle;
}

/** A file of the store as it is at the moment: pages and workers alike read from it. */
export async function storedFile(path: string): Promise<File> {
  return (await handleOf(path)).getFile();
}
