export declare const uiDirectory: string;
export declare const stampFile: string;
export declare function hashUiSources(): string;
export declare function isUiBuilt(): boolean;
