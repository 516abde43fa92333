import type { ChooseOutput, ChoosePaths, MenuCommand, RecentCase } from './channels.ts';

interface Bridge {
  readonly host: 'electron';
  /** Where resources (see the contract) are, of the same origin as the window. */
  readonly resourceRoot: string;
  /** The platform's dialog; empty where it was cancelled. */
  choosePaths(options: ChoosePaths): Promise<string[]>;
  chooseOutput(options: ChooseOutput): Promise<string | null>;
  /** Paths of files that were dropped on the window; a file that is on no disk is left out. */
  pathsOf(files: readonly File[]): string[];
  /** Shows a file in the platform's file manager. */
  reveal(path: string): Promise<void>;
  /** How the platform's own parts (title bar, menus, dialogs) look, and `prefers-color-scheme`. */
  setTheme(theme: 'system' | 'light' | 'dark'): void;
  /** What the menu offers to open again. */
  setRecentCases(cases: readonly RecentCase[]): void;
  /** Files opened from the system, and menu commands; returns what ends the subscription. */
  onOpenFiles(listener: (paths: string[]) => void): () => void;
  onCommand(listener: (command: MenuCommand) => void): () => void;
}

/** What Electron's preload script gives the window as `window.earwitness`; a port cannot cross by itself, see `hostBridge`. */
export interface ExposedBridge extends Bridge {
  /** Has a port to the engine posted to the window, in a message that is this number. */
  requestPort(request: number): void;
}

/** What the window knows of Electron. */
export interface HostBridge extends Bridge {
  /** A port to the engine, not yet started; it closes when the engine ends, another one leads to the next. */
  connect(): Promise<MessagePort>;
}

declare global {
  interface Window {
    earwitness?: ExposedBridge;
  }
}

let requests = 0;

/** Electron's bridge; undefined in a browser. */
export function hostBridge(): HostBridge | undefined {
  const exposed = window.earwitness;
  if (exposed === undefined) return undefined;
  return {
    ...exposed,
    connect: () =>
      new Promise((resolve) => {
        const request = ++requests;
        const onMessage = (event: MessageEvent): void => {
          if (event.source !== window || event.data !== request || event.ports.length !== 1) return;
          window.removeEventListener('message', onMessage);
          resolve(event.ports[0]);
        };
        window.addEventListener('message', onMessage);
        exposed.requestPort(request);
      }),
  };
}
