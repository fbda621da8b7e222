/** What the build uses of Eleventy, which comes without types. */
declare module '@11ty/eleventy' {
  export interface UserConfig {
    setLibrary(extension: string, library: unknown): void;
    addTemplate(path: string, content: string): void;
    addWatchTarget(path: string): void;
    addTransform(
      name: string,
      transform: (this: { readonly page: { readonly inputPath: string } }, content: string) => string,
    ): void;
    addGlobalData(name: string, value: unknown): void;
    setUseGitIgnore(use: boolean): void;
    setServerOptions(options: object): void;
    on(event: string, listener: () => void | Promise<void>): void;
  }
  export class Eleventy {
    constructor(
      input: string,
      output: string,
      options: {
        readonly quietMode?: boolean;
        readonly runMode?: 'build' | 'serve';
        readonly configPath?: null;
        readonly config: (config: UserConfig) => object;
      },
    );
    init(): Promise<void>;
    write(): Promise<unknown>;
    watch(): Promise<void>;
    serve(port: number): Promise<void>;
  }
}
