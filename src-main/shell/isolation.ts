import type { Session } from 'electron';

/** Schemes by which a page reaches nothing but this program. */
const ownSchemes = new Set(['earwitness:', 'blob:', 'data:', 'devtools:']);

/** To put plain text on the clipboard, a hash for instance, at a person's click. */
const granted = 'clipboard-sanitized-write';

/** Lets a session load what is ours and nothing else, and grants no permission but that one. */
export function isolate(session: Session): void {
  session.webRequest.onBeforeRequest((details, decide) => {
    const scheme = URL.parse(details.url)?.protocol ?? '';
    decide({ cancel: !ownSchemes.has(scheme) });
  });
  session.setPermissionRequestHandler((_contents, permission, decide) => decide(permission === granted));
  // So that the outputs can be named; to record takes a request, which is refused.
  session.setPermissionCheckHandler(
    (_contents, permission, _origin, { mediaType }) =>
      permission === granted || (permission === 'media' && mediaType === 'audio'),
  );
  session.setDevicePermissionHandler(() => false);
  session.setSpellCheckerEnabled(false);
  session.on('will-download', (_event, item) => {
    // Only what the window itself offers.
    if (!ownSchemes.has(URL.parse(item.getURL())?.protocol ?? '')) item.cancel();
  });
}
