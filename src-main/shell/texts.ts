/** What menus, dialogs and messages of the shell say. */
export const texts = {
  name: 'Earwitness',
  menu: {
    file: '&File',
    newCase: 'New Case…',
    openCase: 'Open Case…',
    addFiles: 'Add Files…',
    scan: 'Scan',
    report: 'Issue Report…',
    verify: 'Verify Case',
    settings: 'Settings…',
    quit: 'Quit',
    edit: '&Edit',
    view: '&View',
    cases: 'Cases',
    examine: 'Examine',
    train: 'Train',
    evaluate: 'Evaluate',
    models: 'Models',
    window: '&Window',
    help: '&Help',
    shortcuts: 'Keyboard Shortcuts',
    about: 'About Earwitness',
  },
  noEngine: {
    title: 'Earwitness cannot start',
    noNode:
      'The Node that runs the engine is missing. Start Earwitness with `npm start` in its folder, or name a Node 24 in EARWITNESS_NODE.',
    noRenderer: 'The window has not been built. Run `npm run build` in the folder of Earwitness.',
  },
  allFiles: 'All files',
  files: 'Files',
} as const;
