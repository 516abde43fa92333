import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * What a page of ours may do, in Electron and in the browser: nothing but its own scripts, and connections to where it came
 * from. Styles may be inline, since charts and waveforms make theirs as they draw.
 */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** How a person gets in. */
export const freshAddressAdvice =
  'Press Enter where `earwitness serve` runs, or run `earwitness serve --link` there, for an address that works once.';

/** Headers of every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Whether two secrets are the same, without telling by time how much of them is. */
export function sameSecret(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** Names by which a browser on this machine, or at the near end of a tunnel, reaches us; any port, since a tunnel has its own. */
const loopbackNames = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

/** Whether the name that a browser used is ours: a foreign name that leads here is DNS rebinding. */
export function isOurHost(host: string | undefined): host is string {
  return host !== undefined && loopbackNames.test(host);
}

/**
 * Why a request may not change or read anything, null where it may: it must bear the cookie, and come from our own page.
 * @param needsOrigin for what a foreign page could start without asking first (WebSocket, POST)
 */
export function refusal(
  request: IncomingMessage,
  cookie: { name: string; value: string },
  needsOrigin: boolean,
): { status: 401 | 403; sentence: string } | null {
  const { host, origin } = request.headers;
  if (!isOurHost(host)) return { status: 403, sentence: 'This name does not belong to Earwitness.' };
  if (origin === undefined ? needsOrigin : origin !== `http://${host}`) {
    return { status: 403, sentence: 'This request comes from a foreign page.' };
  }
  // Sent by every present browser; pages of another local server are `same-site`, and bear our cookie.
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, sentence: 'This request comes from a foreign page.' };
  }
  const given = cookieOf(request, cookie.name);
  if (given === null || !sameSecret(given, cookie.value)) {
    return { status: 401, sentence: `This browser is not known here. ${freshAddressAdvice}` };
  }
  return null;
}

function cookieOf(request: IncomingMessage, name: string): string | null {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name && value !== undefined) return value;
  }
  return null;
}
