import { spawn } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { exitStatus, interruption } from './context.ts';

export function register(program: Command): void {
  program
    .command('serve')
    .description('the workstation in a browser, on this machine only')
    .option('--port <n>', 'port on 127.0.0.1 (default: any that is free)', portNumber)
    .option('--root <dir...>', 'folders that the window may look into, besides those of the settings')
    .option('--no-open', 'print the address, open no browser')
    .option('--link', 'print a fresh address of the workstation that is running, and end')
    .addHelpText(
      'after',
      `
Prints an address with a token that works once: the browser that opens it is let in until the workstation ends (Ctrl-C).
Enter prints a fresh one, and so does serve --link, run by the same user. From another machine, reach it through a tunnel:
ssh -L PORT:127.0.0.1:PORT HOST, then open the address there. A folder or an ffmpeg that the window asks for has to be
confirmed here; where nobody can, earwitness settings does the same.
Exit status: 0 ended by Ctrl-C, 1 it could not start, 2 wrong usage.`,
    )
    .action(async (options: Partial<Options> & { open: boolean }) => {
      process.exitCode = await run({ root: [], link: false, ...options });
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  }
  return port;
}

/** Whether a browser could be shown here. */
function hasDisplay(): boolean {
  if (process.platform === 'win32' || process.platform === 'darwin') return !process.env['SSH_CONNECTION'];
  return Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
}

/**
 * Opens the platform's browser on a page on disk that leads to an address: processes' arguments can be read by everybody, the page
 * by this user only. Where that fails, the address stands on the terminal.
 * @returns removes the page
 */
async function openBrowser(home: string, address: string): Promise<() => Promise<void>> {
  const { writePrivateFile } = await import('../serve/private-file.ts');
  const page = join(home, 'open-earwitness.html');
  const content = `<!doctype html><meta charset="utf-8"><title>Earwitness</title>
<meta http-equiv="refresh" content="0;url=${address}"><p>Opening Earwitness…</p>\n`;
  await writePrivateFile(page, content);
  const [command, ...args] =
    process.platform === 'win32'
      ? ['rundll32.exe', 'url.dll,FileProtocolHandler', page]
      : [process.platform === 'darwin' ? 'open' : 'xdg-open', page];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
  return () => rm(page, { force: true });
}

interface Options {
  port?: number;
  open: boolean;
  root: string[];
  link: boolean;
}

async function link(): Promise<number> {
  const { askForLink } = await import('../serve/admission.ts');
  process.stdout.write(`${await askForLink(resolve(dataFolder()))}\n`);
  return exitStatus.done;
}

async function run(options: Options): Promise<number> {
  if (options.link) return link();
  const roots = options.root.map((root) => resolve(root));
  for (const root of roots) {
    if ((await stat(root).catch(() => null))?.isDirectory()) continue;
    throw new UserFacingError('usage', `There is no folder at ${root}.`, { path: root });
  }
  const [{ serve }, { Terminal }] = await Promise.all([import('../serve/serve.ts'), import('../serve/terminal.ts')]);
  const { signal, dispose } = interruption();
  // Answers are taken from a person, not from a pipe.
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  let give = (): void => undefined;
  const terminal = interactive ? new Terminal(process.stdin, process.stderr, () => give()) : null;
  let removePage: (() => Promise<void>) | null = null;
  try {
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    const workstation = await serve({
      port: options.port ?? 0,
      roots,
      signal,
      onEvent: (sentence) => process.stderr.write(`${sentence}\n`),
      onFailed: (error) => failed.reject(error),
      ...(terminal && { confirm: (what) => terminal.confirm(what) }),
    });
    give = () => void process.stdout.write(`Earwitness: ${workstation.freshAddress()}\n`);
    process.stdout.write(`Earwitness: ${workstation.address}\n`);
    const more = interactive ? 'Enter gives a fresh one, and so does' : 'A fresh one is given by';
    process.stderr.write(`It works once. ${more} \`earwitness serve --link\`; Ctrl-C ends the workstation.\n`);
    try {
      if (options.open && hasDisplay()) {
        removePage = await openBrowser(resolve(dataFolder()), workstation.freshAddress());
      }
      await Promise.race([ended(signal), failed.promise]);
    } finally {
      await workstation.close();
    }
    return exitStatus.done;
  } catch (error) {
    if (signal.aborted) return exitStatus.done;
    throw error;
  } finally {
    await removePage?.();
    terminal?.close();
    dispose();
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
