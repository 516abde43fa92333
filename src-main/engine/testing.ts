import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openParts } from './parts.ts';
import type { EngineContext } from './context.ts';

/** An engine's context in a data folder of its own, without cases, for one test. */
export async function testContext(host: EngineContext['host'] = 'browser'): Promise<EngineContext> {
  const home = mkdtempSync(join(tmpdir(), 'earwitness-engine-'));
  const before = process.env['EARWITNESS_HOME'];
  process.env['EARWITNESS_HOME'] = home;
  const parts = await openParts({ host, application: 'earwitness 0.0.0', confirm: async () => true });
  onTestFinished(async () => {
    await parts.jobs.close();
    await parts.sound.close();
    parts.settings.close();
    if (before === undefined) delete process.env['EARWITNESS_HOME'];
    else process.env['EARWITNESS_HOME'] = before;
    rmSync(home, { recursive: true, force: true });
  });
  return parts as EngineContext;
}
