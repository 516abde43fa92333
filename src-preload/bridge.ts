/** What the window gets from Electron's preload script as `window.earwitness`; absent in a browser. */
export interface HostBridge {
  readonly host: 'electron';
  /** Where resources (see the contract) are: `earwitness://resources/`. */
  readonly resourceRoot: string;
  /** A port to the engine; another one after the engine was restarted. */
  connect(): Promise<MessagePort>;
  /** The platform's dialog; empty where it was cancelled. */
  choosePaths(options: { kind: 'files' | 'folder' | 'file'; title: string; extensions?: string[] }): Promise<string[]>;
  chooseOutput(options: { title: string; suggestedName: string }): Promise<string | null>;
  /** Paths of files that were dropped on the window. */
  pathsOf(files: readonly File[]): string[];
  /** Shows a file in the platform's file manager. */
  reveal(path: string): Promise<void>;
  /** Files opened from the system, and menu commands; returns what ends the subscription. */
  onOpenFiles(listener: (paths: string[]) => void): () => void;
  onCommand(listener: (command: MenuCommand) => void): () => void;
}

export type MenuCommand =
  | 'new-case'
  | 'open-case'
  | 'add-files'
  | 'scan'
  | 'report'
  | 'verify'
  | 'settings'
  | 'shortcuts'
  | `view-${'cases' | 'examine' | 'train' | 'evaluate' | 'models' | 'settings'}`;
