import { app, Menu } from 'electron';
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuCommand, RecentCase } from '../../src-preload/channels.ts';
import { texts } from './texts.ts';

/** The application's menu; what is ours in it goes to the window as a command. @param recent cases to open again, the latest first */
export function setMenu(send: (command: MenuCommand) => void, recent: readonly RecentCase[]): void {
  const t = texts.menu;
  const item = (label: string, command: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    id: command,
    label,
    ...(accelerator !== undefined && { accelerator }),
    click: () => send(command),
  });
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const settings = item(t.settings, 'settings', 'CommandOrControl+,');
  const onMac = process.platform === 'darwin';

  const template: MenuItemConstructorOptions[] = [
    ...(onMac
      ? [
          {
            label: texts.name,
            submenu: [
              { role: 'about' as const },
              separator,
              settings,
              separator,
              { role: 'hide' as const },
              { role: 'hideOthers' as const },
              { role: 'unhide' as const },
              separator,
              { role: 'quit' as const },
            ],
          },
        ]
      : []),
    {
      label: t.file,
      submenu: [
        item(t.newCase, 'new-case', 'CommandOrControl+N'),
        item(t.openCase, 'open-case', 'CommandOrControl+O'),
        {
          id: 'open-recent',
          label: t.openRecent,
          enabled: recent.length > 0,
          // An ampersand would name a key.
          submenu: recent.map(({ id, label }) => item(label.replaceAll('&', '&&'), `open-recent ${id}`)),
        },
        separator,
        item(t.addFiles, 'add-files', 'CommandOrControl+Shift+A'),
        item(t.scan, 'scan', 'CommandOrControl+Shift+S'),
        item(t.report, 'report', 'CommandOrControl+P'),
        item(t.verify, 'verify', 'CommandOrControl+Shift+V'),
        separator,
        ...(onMac ? [{ role: 'close' as const }] : [settings, separator, { role: 'quit' as const, label: t.quit }]),
      ],
    },
    {
      label: t.edit,
      submenu: [
        // The window answers their keys itself: in a text field they are the field's.
        { ...item(t.undo, 'undo', 'CommandOrControl+Z'), registerAccelerator: false },
        { ...item(t.redo, 'redo', 'CommandOrControl+Shift+Z'), registerAccelerator: false },
        separator,
        { role: 'cut' },
        { role: 'copy' },
        { role: 'paste' },
        { role: 'selectAll' },
      ],
    },
    {
      label: t.view,
      submenu: [
        item(t.cases, 'view-cases', 'CommandOrControl+1'),
        item(t.examine, 'view-examine', 'CommandOrControl+2'),
        item(t.train, 'view-train', 'CommandOrControl+3'),
        item(t.evaluate, 'view-evaluate', 'CommandOrControl+4'),
        item(t.models, 'view-models', 'CommandOrControl+5'),
        item(t.collections, 'view-collections', 'CommandOrControl+6'),
        item(texts.menu.settings.replace('…', ''), 'view-settings', 'CommandOrControl+7'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        separator,
        { role: 'togglefullscreen' },
        // Of no use to an analyst; there for whoever works on the program.
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
      ],
    },
    { label: t.window, submenu: [{ role: 'minimize' }, { role: 'zoom' }] },
    {
      label: t.help,
      role: 'help',
      submenu: [
        item(t.shortcuts, 'shortcuts', 'F1'),
        ...(onMac ? [] : [separator, { role: 'about' as const, label: t.about }]),
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
