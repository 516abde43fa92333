/** The one window: made, filled, connected to the engine, and kept from going anywhere else. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, nativeTheme, screen, session, shell } from 'electron';
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';
import { z } from 'zod';
import { channels } from '../../src-preload/channels.ts';
import type { MenuCommand } from '../../src-preload/channels.ts';
import { dataFolder } from '../base/home.ts';
import { applicationRoot } from '../base/workers.ts';
import { maxFrameBytes, type Confirmation } from '../host/host-messages.ts';
import { engineEntry } from '../host/engine-entry.ts';
import { Supervisor } from '../host/supervisor.ts';
import { engineNode } from './engine-node.ts';
import { endWith } from './failure.ts';
import { isolate } from './isolation.ts';
import { setMenu } from './menu.ts';
import { origin, servePages } from './pages.ts';
import type { OpenedFiles } from './opened-files.ts';
import { texts } from './texts.ts';
import { placeOnDisplay, readWindowState, writeWindowState } from './window-state.ts';
import type { WindowState } from './window-state.ts';

const background = { light: '#f4f4f5', dark: '#18181b' };
const smallest = { width: 960, height: 600 };
/** A window that moves is not written down at every step. */
const restMs = 500;

const choosePathsSchema = z.object({
  kind: z.enum(['files', 'folder', 'file']),
  title: z.string().max(500),
  extensions: z
    .array(z.string().regex(/^[a-z0-9]{1,16}$/i))
    .max(100)
    .optional(),
});
const chooseOutputSchema = z.object({ title: z.string().max(500), suggestedName: z.string().max(500) });
const recentSchema = z.array(z.object({ id: z.string().max(100), label: z.string().max(500) })).max(20);
const themeSchema = z.enum(['system', 'light', 'dark']);

function isOurs(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  return event.senderFrame?.url.startsWith(`${origin}/`) === true;
}

/** Answers the window; nobody else is answered. */
function answer<T>(channel: string, schema: z.ZodType<T>, run: (input: T) => unknown): void {
  ipcMain.handle(channel, (event, input) => {
    if (!isOurs(event)) throw new Error('Not the window.');
    return run(schema.parse(input));
  });
}

/** Hands the window a port whose other end is a connection to the engine, once one answers. */
function offerPorts(supervisor: Supervisor): void {
  ipcMain.on(channels.connect, (event, request: unknown) => {
    if (!isOurs(event) || typeof request !== 'number') return;
    const { senderFrame } = event;
    supervisor.ready().then(
      () => {
        const { port1, port2 } = new MessageChannelMain();
        const connection = supervisor.connect({
          onFrame: (data) => port1.postMessage(data),
          onClose: () => port1.close(),
        });
        port1.on('message', ({ data }: { data: unknown }) => {
          const fits = (typeof data === 'string' || data instanceof Uint8Array) && data.length <= maxFrameBytes;
          if (fits) connection.send(data);
          else {
            connection.close();
            port1.close();
          }
        });
        port1.on('close', () => connection.close());
        port1.start();
        // The page may have gone meanwhile.
        if (senderFrame === null || senderFrame.detached) port1.close();
        else senderFrame.postMessage(channels.connect, request, [port2]);
      },
      () => undefined,
    );
  });
}

/** Keeps place, size and theme of the window in the data folder. */
function keepState(window: BrowserWindow, home: string, theme: () => WindowState['theme']): () => Promise<void> {
  let timer: NodeJS.Timeout | null = null;
  const write = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (window.isDestroyed() || window.isMinimized()) return;
    const state = { bounds: window.getNormalBounds(), maximized: window.isMaximized(), theme: theme() };
    // Where it cannot be kept, the window opens in the middle next time.
    await writeWindowState(home, state).catch(() => undefined);
  };
  const later = (): void => {
    timer ??= setTimeout(() => void write(), restMs);
  };
  window.on('resize', later);
  window.on('move', later);
  window.on('maximize', later);
  window.on('unmaximize', later);
  return write;
}

/** Keeps the page where it is, whatever it asks for. */
function lock(window: BrowserWindow): void {
  const { webContents } = window;
  webContents.on('will-navigate', (event) => event.preventDefault());
  webContents.on('will-redirect', (event) => event.preventDefault());
  webContents.on('will-attach-webview', (event) => event.preventDefault());
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  webContents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
  webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason !== 'clean-exit' && !window.isDestroyed()) webContents.reload();
  });
}

/** What the person chose in the system's dialog is confirmed by that; anything else is asked about. */
async function confirm({ kind, path }: Confirmation, chosen: ReadonlySet<string>): Promise<boolean> {
  if (chosen.has(path)) return true;
  const { confirm: words } = texts;
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: words[kind](path),
    detail: words.note,
    buttons: [words.no, words.yes],
    defaultId: 0,
    cancelId: 0,
  });
  return response === 1;
}

/** @param chosen gains what the person chooses */
function dialogs(window: () => BrowserWindow, chosen: Set<string>): void {
  answer(channels.choosePaths, choosePathsSchema, async ({ kind, title, extensions }) => {
    const { filePaths } = await dialog.showOpenDialog(window(), {
      title,
      properties:
        kind === 'folder' ? ['openDirectory'] : kind === 'files' ? ['openFile', 'multiSelections'] : ['openFile'],
      ...(extensions && {
        filters: [
          { name: texts.files, extensions },
          { name: texts.allFiles, extensions: ['*'] },
        ],
      }),
    });
    for (const path of filePaths) chosen.add(path);
    return filePaths;
  });
  answer(channels.chooseOutput, chooseOutputSchema, async ({ title, suggestedName }) => {
    const { canceled, filePath } = await dialog.showSaveDialog(window(), { title, defaultPath: suggestedName });
    return canceled || filePath === '' ? null : filePath;
  });
  answer(channels.reveal, z.string().max(32_768), (path) => {
    if (isAbsolute(path) && existsSync(path)) shell.showItemInFolder(path);
  });
}

function makeWindow(state: WindowState | null): BrowserWindow {
  const [primary, others] = [screen.getPrimaryDisplay(), screen.getAllDisplays()];
  const areas = [primary, ...others.filter(({ id }) => id !== primary.id)].map(({ workArea }) => workArea);
  const window = new BrowserWindow({
    ...placeOnDisplay(state?.bounds ?? null, areas),
    minWidth: smallest.width,
    minHeight: smallest.height,
    title: texts.name,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
    webPreferences: {
      preload: join(applicationRoot(), 'out', 'preload', 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      // Playback and progress go on while the window is behind others.
      backgroundThrottling: false,
    },
  });
  if (state?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());
  return window;
}

/** Runs until the window is closed. To be called when Electron is ready. */
export async function runWindow(opened: OpenedFiles): Promise<void> {
  const home = resolve(dataFolder());
  const node = engineNode(process.env, process.resourcesPath, applicationRoot());
  if (node === null || !existsSync(join(applicationRoot(), 'out', 'renderer', 'index.html'))) {
    const { title, incomplete, noNode, noRenderer } = texts.noEngine;
    dialog.showErrorBox(title, app.isPackaged ? incomplete : node === null ? noNode : noRenderer);
    app.exit(1);
    return;
  }
  const chosen = new Set<string>();
  const supervisor = new Supervisor({
    node,
    engineFile: engineEntry(),
    host: 'electron',
    onEvent: (sentence) => process.stderr.write(`${sentence}\n`),
    onFailed: (error) => void endWith(error),
    confirm: (what) => confirm(what, chosen),
  });
  let [ending, ended] = [false, false];
  supervisor.start().catch((error: unknown) => {
    if (!ending) void endWith(error);
  });

  const state = readWindowState(home);
  nativeTheme.themeSource = state?.theme ?? 'system';
  isolate(session.defaultSession);
  servePages(session.defaultSession, supervisor);

  const window = makeWindow(state);
  lock(window);
  dialogs(() => window, chosen);
  offerPorts(supervisor);
  const writeState = keepState(window, home, () => nativeTheme.themeSource);
  ipcMain.on(channels.theme, (event, theme: unknown) => {
    const { success, data } = themeSchema.safeParse(theme);
    if (!isOurs(event) || !success || data === nativeTheme.themeSource) return;
    nativeTheme.themeSource = data;
    window.setBackgroundColor(nativeTheme.shouldUseDarkColors ? background.dark : background.light);
    void writeState();
  });
  const send = (command: MenuCommand): void => window.webContents.send(channels.command, command);
  setMenu(send, []);
  ipcMain.on(channels.recentCases, (event, cases: unknown) => {
    const { success, data } = recentSchema.safeParse(cases);
    if (isOurs(event) && success) setMenu(send, data);
  });
  ipcMain.on(channels.openFilesWanted, (event) => {
    if (!isOurs(event)) return;
    opened.deliverTo((paths) => window.webContents.send(channels.openFiles, paths));
  });
  const come = (): void => {
    if (window.isMinimized()) window.restore();
    window.focus();
  };
  app.on('second-instance', come);
  app.on('open-file', come);

  app.on('window-all-closed', () => app.quit());
  window.on('close', () => void writeState());
  app.on('will-quit', (event) => {
    if (ended) return;
    // Once more when the engine has put things away.
    event.preventDefault();
    ending = true;
    void supervisor.stop().finally(() => {
      ended = true;
      app.quit();
    });
  });
  await window.loadURL(`${origin}/index.html`);
}
