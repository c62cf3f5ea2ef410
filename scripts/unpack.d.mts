/** The repository's folder. */
export declare const root: string;
/** Whether the packages carry programs for this machine. */
export declare function toolsFit(): boolean;
/** The folder to put on LD_LIBRARY_PATH for software Vulkan; undefined where it cannot run. */
export declare function unpackVulkan(): string | undefined;
/** The headless browser and its libraries; undefined where it cannot run. */
export declare function unpackChromium(): { executable: string; libraries: string } | undefined;
