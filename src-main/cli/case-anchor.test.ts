import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasOpenssl, TestAuthority } from '../cases/anchors/testing.ts';
import { register as registerAuthority } from './authority.ts';
import { register as registerCase } from './case.ts';
import { register as registerPerson } from './person.ts';
import { register as registerVerify } from './verify.ts';

let folder: string;
let dir: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-anchor-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  dir = join(folder, 'case');
  await run('case', 'new', dir, '--number', '7', '--title', 'A call');
});
afterEach(() => {
  delete process.env['EARWITNESS_HOME'];
  process.exitCode = undefined;
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command in this process. @returns what it said */
async function run(...words: string[]): Promise<string> {
  let said = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  const program = new Command('earwitness').exitOverride();
  for (const register of [registerCase, registerAuthority, registerPerson, registerVerify]) register(program);
  try {
    await program.parseAsync(words, { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return said;
}

/** A server that answers each request so. @returns its address */
async function serving(
  answer: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
): Promise<string> {
  const listening = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(request, Buffer.concat(parts), response));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
}

describe.skipIf(!hasOpenssl)('case anchor, with an authority by OpenSSL', () => {
  it('asks over HTTP, and by files where there is no network', async () => {
    const tsa = new TestAuthority(join(folder, 'tsa'));
    await expect(run('authority', 'accept', tsa.root, '--name', 'A test', '--fingerprint', 'AA:BB')).rejects.toThrow(
      `The certificate's SHA-256 is ${tsa.fingerprint}, not AA:BB.`,
    );
    await run('authority', 'accept', tsa.root, '--name', 'A test', '--fingerprint', tsa.fingerprint.toLowerCase());
    expect(await run('authority', 'list')).toContain(`${tsa.fingerprint}  A test, accepted `);
    expect(await run('verify', dir)).toContain('Anchored: by no time-stamping authority that is accepted here.');

    let asked: string | undefined;
    const url = await serving((request, body, response) => {
      asked = `${request.method} ${request.headers['content-type']}`;
      response.end(tsa.answer(body));
    });
    // Made (row 1), opened for this (row 2), stamped (row 3).
    expect(await run('case', 'anchor', dir, '--tsa', url)).toMatch(
      /^Anchored until row 2 by A test, 2.*Z\.\nCustody log: 3 rows/,
    );
    expect(asked).toBe('POST application/timestamp-query');

    const [request, answer] = [join(folder, 'head.tsq'), join(folder, 'head.tsr')];
    expect(await run('case', 'anchor', dir, '--request', request)).toContain('Wrote the request for row 3');
    writeFileSync(answer, tsa.answer(readFileSync(request)));
    expect(await run('case', 'anchor', dir, '--answer', answer)).toContain('Anchored until row 3 by A test');
    expect(await run('verify', dir)).toMatch(/Anchored: until row 3, by A test, 2.*\nIntact\./);

    const out = join(folder, 'stamps');
    expect(await run('case', 'anchor', dir, '--save', out)).toContain('openssl ts -verify -data row-3.txt');
    expect(readdirSync(out).sort()).toEqual(['row-2.token.der', 'row-2.txt', 'row-3.token.der', 'row-3.txt']);
    expect(tsa.verifies(join(out, 'row-3.txt'), join(out, 'row-3.token.der'))).toBe(true);
    expect(tsa.verifies(join(out, 'row-2.txt'), join(out, 'row-3.token.der'))).toBe(false);

    expect(await run('authority', 'withdraw', tsa.fingerprint)).toContain('Withdrawn: A test.');
    expect(await run('verify', dir)).toMatch(/ends in no certificate that is accepted here[^]*Intact\./);
    // What was asked by a request of another case is not of this one.
    const other = join(folder, 'other');
    await run('case', 'new', other, '--number', '8', '--title', 'Another');
    await expect(run('case', 'anchor', other, '--answer', answer)).rejects.toThrow(
      /something else than a row of this log/,
    );
  });
});

/** The same for another installation. */
async function elsewhere(...words: string[]): Promise<string> {
  process.env['EARWITNESS_HOME'] = join(folder, 'other-home');
  try {
    return await run(...words);
  } finally {
    process.env['EARWITNESS_HOME'] = join(folder, 'home');
  }
}

it('case countersign takes the signature of a second person, by files or with their key', async () => {
  const [request, answer] = [join(folder, 'head.json'), join(folder, 'signed.json')];
  const fingerprint = (await elsewhere('case', 'key')).trim();
  expect(await run('case', 'countersign', dir, '--request', request)).toContain('Wrote row 1, to be signed');
  expect(await elsewhere('person', 'sign', request, '--out', answer)).toMatch(
    new RegExp(
      `^Signed row 1 of the log of 7, head [0-9a-f]{64}, which [-0-9a-f]+ signed,\\nwith the key ${fingerprint}`,
    ),
  );
  await expect(run('case', 'countersign', dir, '--answer', answer)).rejects.toThrow(/is not accepted here/);
  const person = ['--name', 'Grace', '--role', 'technical reviewer'];
  await expect(run('person', 'accept', answer, ...person, '--fingerprint', '0000')).rejects.toThrow(
    `is signed by ${fingerprint}, not by 0000`,
  );
  await run('person', 'accept', answer, ...person, '--fingerprint', fingerprint);
  expect(await run('person', 'list')).toContain(`${fingerprint}  Grace (technical reviewer), accepted`);
  expect(await run('case', 'countersign', dir, '--answer', answer)).toContain(
    'Grace (technical reviewer) counter-signed the log up to row 1.',
  );
  const key = join(folder, 'other-home', 'installation-key.pem');
  expect(await run('case', 'countersign', dir, '--key', key)).toContain('counter-signed the log up to row 5.');
  expect(await run('verify', dir)).toMatch(/Counter-signed until row 5 by Grace[^]*accepted here[^]*Intact\./);
  await expect(run('case', 'countersign', dir, '--key', join(folder, 'home', 'installation-key.pem'))).rejects.toThrow(
    /signed this log itself/,
  );
  expect(await run('person', 'withdraw', fingerprint)).toContain('Withdrawn: Grace.');
  await expect(run('case', 'countersign', dir)).rejects.toMatchObject({ code: 'usage' });
});

it('case key sets, changes and removes the passphrase of the key', async () => {
  const fingerprint = (await run('case', 'key')).trim();
  await expect(run('case', 'key', '--set-passphrase')).rejects.toThrow(/Nobody can be asked/);
  vi.stubEnv('EARWITNESS_NEW_KEY_PASSPHRASE', 'correct horse');
  expect(await run('case', 'key', '--set-passphrase')).toMatch(
    new RegExp(`has this passphrase now.*\\n${fingerprint}`),
  );
  await expect(run('case', 'key', '--remove-passphrase')).rejects.toThrow(/EARWITNESS_KEY_PASSPHRASE/);
  vi.stubEnv('EARWITNESS_KEY_PASSPHRASE', 'wrong horse');
  await expect(run('case', 'key', '--remove-passphrase')).rejects.toMatchObject({ code: 'passphrase' });
  vi.stubEnv('EARWITNESS_KEY_PASSPHRASE', 'correct horse');
  expect(await run('case', 'key', '--remove-passphrase')).toContain('has no passphrase now');
  await expect(run('case', 'key', '--remove-passphrase')).rejects.toMatchObject({ code: 'usage' });
  vi.unstubAllEnvs();
});

it('says where an authority gives no answer, and what to do', async () => {
  const url = await serving((request, _, response) => {
    if (request.url === '/never') return;
    if (request.url === '/endless') response.end(Buffer.alloc(2 ** 20 + 1));
    else if (request.url === '/page') response.end('<html>Sign in</html>');
    else response.writeHead(503).end();
  });
  const why = async (place: string, ...more: string[]): Promise<string> =>
    run('case', 'anchor', dir, '--tsa', place, ...more).catch((error: Error) => error.message);
  expect(await why(url)).toMatch(/at http.* gave no answer: it says 503/);
  expect(await why(`${url}never`, '--timeout', '1')).toMatch(/nothing came within 1 s/);
  expect(await why(`${url}endless`)).toMatch(/far too long/);
  expect(await why(`${url}page`)).toMatch(/from http.*page is not taken: it is not in ASN\.1/);
  expect(await why('ftp://example.org')).toMatch(/no address that begins with http/);
  server?.closeAllConnections();
  server?.close();
  expect(await why(url)).toMatch(/ECONNREFUSED/);
  await expect(run('case', 'anchor', dir, '--answer', join(folder, 'none.tsr'))).rejects.toMatchObject({
    code: 'missing',
  });
  await expect(run('case', 'anchor', dir)).rejects.toMatchObject({ code: 'usage' });
  await expect(run('case', 'anchor', dir, '--save', join(folder, 'out'))).rejects.toMatchObject({ code: 'not-found' });
  // Nothing but openings came into the log.
  expect(await run('case', 'show', dir, '--log')).not.toContain('anchored');
});
