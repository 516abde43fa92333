/**
 * What must be said before Electron is ready. An entry of its own, too, in CommonJS: a runtime that loads the shell late (the
 * test runtime) is given it by `-r`.
 */
import { app, protocol } from 'electron';

// What cannot be said any more has been said.
if (!app.isReady()) {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'earwitness', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ]);
  // Keeps Chromium from connecting anywhere of its own accord: updates of components, field trials, reports.
  for (const name of [
    'disable-background-networking',
    'disable-component-update',
    'disable-domain-reliability',
    'disable-breakpad',
    'no-pings',
  ]) {
    app.commandLine.appendSwitch(name);
  }
  // On a busy machine one start in fifteen showed nothing: Chromium, which parses scripts while they arrive, waited for ever for two
  // that had been answered. The window's own come from the disk anyway.
  app.commandLine.appendSwitch('disable-features', 'ScriptStreaming');
  // No name leads anywhere, not even for a part of Chromium that the rest of this misses.
  app.commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND');
  app.commandLine.appendSwitch('dns-over-https-mode', 'off');
  app.commandLine.appendSwitch('force-webrtc-ip-handling-policy', 'disable_non_proxied_udp');
}
