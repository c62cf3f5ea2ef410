/** The command and first arguments that start the packaged Deno. */
export declare const denoCommand: string[];
/** Whether the packaged Deno is there. */
export declare function denoThere(): boolean;
