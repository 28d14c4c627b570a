/** What the engine's process is told on its command line, as one JSON text. */

export interface EngineArguments {
  /** Holds the data; made when it is not there. */
  readonly directory: string;
  /** The Unix socket to listen at. */
  readonly socketPath: string;
  /** Memory of the engine as a whole. */
  readonly memoryBytes: number;
}
