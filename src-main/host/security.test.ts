import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isOurHost, refusal, sameSecret } from './security.ts';

const cookie = { name: 'earwitness-80', value: 'abc' };
const request = (headers: Record<string, string>): IncomingMessage => ({ headers }) as unknown as IncomingMessage;
const ours = { host: '127.0.0.1:80', cookie: 'other=1; earwitness-80=abc', origin: 'http://127.0.0.1:80' };

describe('a request', () => {
  it('is served where it comes from our own page with the cookie', () => {
    expect(refusal(request(ours), cookie, true)).toBeNull();
    expect(refusal(request({ ...ours, 'sec-fetch-site': 'same-origin' }), cookie, true)).toBeNull();
    const { origin: _unused, ...typedIn } = ours;
    expect(refusal(request({ ...typedIn, 'sec-fetch-site': 'none' }), cookie, false)).toBeNull();
    // Through a tunnel with a port of its own.
    const tunnelled = { ...ours, host: 'localhost:9000', origin: 'http://localhost:9000' };
    expect(refusal(request(tunnelled), cookie, true)).toBeNull();
  });

  it.each([
    ['a name that leads here', { host: 'evil.example:80' }, 403],
    ['a name that looks like ours', { host: '127.0.0.1.evil.example' }, 403],
    ['no name', { host: undefined }, 403],
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['a page of another server of this machine', { origin: 'http://127.0.0.1:81' }, 403],
    ['a page of our name but not of our scheme', { origin: 'https://127.0.0.1:80' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['no page, where one must be named', { origin: undefined }, 403],
    ["another server's page, as the browser tells", { 'sec-fetch-site': 'same-site' }, 403],
    ['a foreign page, as the browser tells', { 'sec-fetch-site': 'cross-site' }, 403],
    ['nobody we know', { cookie: undefined }, 401],
    ['somebody with a wrong cookie', { cookie: 'earwitness-80=abd' }, 401],
    ['somebody with the cookie of another port', { cookie: 'earwitness-81=abc' }, 401],
  ])('is refused from %s', (_from, change, status) => {
    const headers = Object.fromEntries(
      Object.entries({ ...ours, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(refusal(request(headers as Record<string, string>), cookie, true)?.status).toBe(status);
  });
});

it('knows the names of this machine', () => {
  expect(['127.0.0.1', 'localhost', '[::1]:5', '127.0.0.1:65535'].every(isOurHost)).toBe(true);
  expect(['', 'localhost.', '127.0.0.2', 'localhost:', '127.0.0.1:123456', 'a@localhost'].some(isOurHost)).toBe(false);
});

it('compares secrets of any length', () => {
  expect(sameSecret('abc', 'abc')).toBe(true);
  expect(sameSecret('abc', 'abcd')).toBe(false);
  expect(sameSecret('', 'a')).toBe(false);
});
