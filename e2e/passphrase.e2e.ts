/** The passphrase of the key that signs: set in the settings, asked for when the next engine is to sign, removed again. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { common } from '../src-renderer/texts/common.ts';
import { settings } from '../src-renderer/texts/settings.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';

const words = settings.key;

describe.each(hosts)('$name', ({ name, missing, start }) => {
  it.skipIf(missing !== null)('signs under a passphrase, which is asked for once by each engine', async () => {
    const host = await start();
    onTestFinished(() => host.close());
    const workstation = new Workstation(host);
    const { page } = workstation;
    await workstation.newCase({ number: '7', title: 'Under a passphrase' });
    await workstation.goTo('settings');
    await page.getByText(words.none).waitFor(patience);
    await workstation.button(words.setAction).click();
    const setting = workstation.dialog(words.setTitle);
    const keep = workstation.button(words.keep, setting);
    await setting.getByLabel(words.next).fill('correct horse');
    await setting.getByLabel(words.again).fill('correct house');
    await setting.getByText(words.differs).waitFor();
    expect(await keep.isDisabled()).toBe(true);
    await setting.getByLabel(words.again).fill('correct horse');
    expect(await violations(page)).toEqual([]);
    await picture(page, `passphrase-set-${name}`);
    await keep.click();
    await page.getByText(words.given).waitFor(patience);
    await picture(page, `passphrase-settings-${name}`);

    const before = host.enginePid();
    process.kill(before, 'SIGKILL');
    const asking = workstation.dialog(common.passphrase.title);
    await asking.waitFor(patience);
    await asking.getByLabel(common.passphrase.label, { exact: true }).fill('wrong horse');
    await workstation.button(common.passphrase.action, asking).click();
    await asking.getByText(/That is not the passphrase/).waitFor(patience);
    expect(await violations(page)).toEqual([]);
    await picture(page, `passphrase-asked-${name}`);
    await asking.getByLabel(common.passphrase.label, { exact: true }).fill('correct horse');
    await workstation.button(common.passphrase.action, asking).click();
    await asking.waitFor({ state: 'detached', ...patience });
    // The case is open again, and written to.
    await workstation.goTo('cases');
    await page.getByText('Under a passphrase').first().waitFor(patience);
    expect((await workstation.verify()).failing).toEqual([]);

    await workstation.goTo('settings');
    await workstation.button(words.remove).click();
    const removing = workstation.dialog(words.removeTitle);
    await removing.getByLabel(words.current).fill('correct horse');
    await workstation.button(words.removeAction, removing).click();
    await page.getByText(words.none).waitFor(patience);
    expect(workstation.errors).toEqual([]);
  });
});
