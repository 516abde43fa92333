/** How long the window is without an engine when that dies: measured, so nothing else runs beside it. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { hosts, isAlive } from './hosts.ts';
import { engineAnswers } from './pages.ts';

describe.each(hosts)('$name', ({ name, missing, start }) => {
  it.skipIf(missing !== null)('has another engine within three seconds when one is killed', async () => {
    const host = await start();
    onTestFinished(() => host.close());
    await engineAnswers(host);
    const pid = host.enginePid();
    const killed = Date.now();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => host.enginePid(), { timeout: 30_000, interval: 20 }).not.toBe(pid);
    const seconds = (Date.now() - killed) / 1000;
    console.log(`${name}: the next engine was there after ${seconds.toFixed(2)} s`);
    expect(isAlive(pid)).toBe(false);
    expect(isAlive(host.enginePid())).toBe(true);
    expect(seconds).toBeLessThan(3);
    await host.page.getByRole('button', { name: 'Settings' }).first().click();
    // Told by the new engine.
    await host.page.getByText(host.home, { exact: false }).first().waitFor({ timeout: 20_000 });
  });
});
