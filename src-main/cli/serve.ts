import { spawn } from 'node:child_process';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { exitStatus, interruption } from './context.ts';

export function register(program: Command): void {
  program
    .command('serve')
    .description('the workstation in a browser, on this machine only')
    .option('--port <n>', 'port on 127.0.0.1 (default: any that is free)', portNumber)
    .option('--no-open', 'print the address, open no browser')
    .addHelpText(
      'after',
      `
Prints an address with a token; whoever has it may use the workstation until it ends (Ctrl-C). From another
machine, reach it through a tunnel: ssh -L PORT:127.0.0.1:PORT HOST, then open the same address there.
Exit status: 0 ended by Ctrl-C, 1 it could not start, 2 wrong usage.`,
    )
    .action(async (options: { port?: number; open: boolean }) => {
      process.exitCode = await run(options);
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

/** Hands an address to the platform's browser; where that fails, the address stands on the terminal. */
function openBrowser(address: string): void {
  const [command, ...args] =
    process.platform === 'win32'
      ? ['rundll32.exe', 'url.dll,FileProtocolHandler', address]
      : [process.platform === 'darwin' ? 'open' : 'xdg-open', address];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

async function run(options: { port?: number; open: boolean }): Promise<number> {
  const { serve } = await import('../serve/serve.ts');
  const { signal, dispose } = interruption();
  try {
    const workstation = await serve({
      port: options.port ?? 0,
      onEvent: (sentence) => process.stderr.write(`${sentence}\n`),
    });
    process.stdout.write(`Earwitness: ${workstation.address}\n`);
    process.stderr.write('Whoever has this address may use it. Ctrl-C ends it.\n');
    if (options.open && hasDisplay()) openBrowser(workstation.address);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
    await workstation.close();
    return exitStatus.done;
  } finally {
    dispose();
  }
}
