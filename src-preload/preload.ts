/** Runs in the window's isolated world: gives the page the few things of Electron that it may use, and nothing else. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { IpcRendererEvent } from 'electron';
import type { ExposedBridge } from './bridge.ts';
import { channels } from './channels.ts';
import type { MenuCommand } from './channels.ts';

function subscribe<T>(channel: string, listener: (value: T) => void): () => void {
  const onMessage = (_event: IpcRendererEvent, value: T): void => listener(value);
  ipcRenderer.on(channel, onMessage);
  return () => ipcRenderer.off(channel, onMessage);
}

// Ports cannot pass through the context bridge; a message within the window can carry one.
ipcRenderer.on(channels.connect, (event, request: number) => {
  window.postMessage(request, window.location.origin, event.ports);
});

const bridge: ExposedBridge = {
  host: 'electron',
  resourceRoot: 'earwitness://app/resources/',
  requestPort: (request) => ipcRenderer.send(channels.connect, request),
  choosePaths: (options) => ipcRenderer.invoke(channels.choosePaths, options) as Promise<string[]>,
  chooseOutput: (options) => ipcRenderer.invoke(channels.chooseOutput, options) as Promise<string | null>,
  pathsOf: (files) => files.map((file) => webUtils.getPathForFile(file)).filter((path) => path !== ''),
  reveal: (path) => ipcRenderer.invoke(channels.reveal, path) as Promise<void>,
  setTheme: (theme) => ipcRenderer.send(channels.theme, theme),
  onOpenFiles: (listener) => {
    const end = subscribe<string[]>(channels.openFiles, listener);
    ipcRenderer.send(channels.openFilesWanted);
    return end;
  },
  setRecentCases: (cases) => ipcRenderer.send(channels.recentCases, cases),
  onCommand: (listener) => subscribe<MenuCommand>(channels.command, listener),
};
contextBridge.exposeInMainWorld('earwitness', bridge);
