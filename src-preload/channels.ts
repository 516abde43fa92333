/** What the shell and the preload script say to each other over Electron's IPC. */
export const channels = {
  /** Renderer asks for a port; the answer comes on the same channel, with the port. */
  connect: 'connect',
  choosePaths: 'choose-paths',
  chooseOutput: 'choose-output',
  reveal: 'reveal',
  theme: 'theme',
  /** The renderer listens for files from now on: those opened before are sent then. */
  openFilesWanted: 'open-files-wanted',
  openFiles: 'open-files',
  command: 'command',
  recentCases: 'recent-cases',
} as const;

export interface ChoosePaths {
  kind: 'files' | 'folder' | 'file';
  title: string;
  extensions?: string[];
}

export interface ChooseOutput {
  title: string;
  suggestedName: string;
}

/** A case that the menu offers to open. */
export interface RecentCase {
  id: string;
  label: string;
}

export type MenuCommand =
  | 'new-case'
  | 'open-case'
  /** With the id of a case. */
  | `open-recent ${string}`
  | 'add-files'
  | 'scan'
  | 'report'
  | 'verify'
  | 'undo'
  | 'redo'
  | 'settings'
  | 'shortcuts'
  | `view-${'cases' | 'examine' | 'train' | 'evaluate' | 'models' | 'collections' | 'settings'}`;
