/** A case's log, stamped from the window by a time-stamping authority that OpenSSL plays. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasOpenssl, TestAuthority } from '../src-main/cases/anchors/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { violations } from './axe.ts';
import { hosts, root } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';

const words = cases.anchor;

describe.each(hosts)('$name', ({ name, missing, start }) => {
  it.skipIf(missing !== null || !hasOpenssl)('has its log stamped once an authority was accepted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-anchor-'));
    const tsa = new TestAuthority(join(folder, 'tsa'));
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => response.end(tsa.answer(Buffer.concat(parts))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const host = await start();
    onTestFinished(async () => {
      await host.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const workstation = new Workstation(host);
    const { page } = workstation;
    const dialog = workstation.dialog(words.title);
    await workstation.newCase({ number: '7', title: 'To be stamped' });
    await workstation.tab(cases.tabs.log).click();
    await workstation.button(words.open).click();
    await dialog.getByText(words.noneAccepted).waitFor(patience);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    const given = ['authority', 'accept', tsa.root, '--name', 'A test', '--fingerprint', tsa.fingerprint];
    const env = { ...process.env, EARWITNESS_HOME: host.home };
    const accepted = spawnSync(process.execPath, [join(root, 'out/main/cli.js'), ...given], { encoding: 'utf8', env });
    expect(accepted.stderr).toBe('');
    await workstation.button(words.open).click();
    await dialog.getByText(words.accepted('A test')).waitFor(patience);
    await dialog.getByLabel(words.url).fill(url);
    expect(await violations(page)).toEqual([]);
    await picture(page, `anchor-dialog-${name}`);
    await workstation.button(words.ask, dialog).click();
    await dialog.waitFor({ state: 'detached', ...patience });
    await page
      .getByRole('grid', { name: cases.log.label })
      .getByText(/^A test stamped the log up to row 1 /)
      .waitFor(patience);
    await workstation.button(common.topBar.verify).click();
    const verifying = workstation.dialog(cases.verify.title);
    await verifying
      .getByText(/^Anchored until row 1 by A test, /)
      .first()
      .waitFor(patience);
    await picture(page, `anchor-verified-${name}`);
    expect(workstation.errors).toEqual([]);
  });
});
