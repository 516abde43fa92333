/** A time-stamping authority for tests, by OpenSSL: a root, an intermediate and a signer of its own in a folder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether OpenSSL is there, which the tests of time stamps are made with. */
export const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const configuration = `
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[middle]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
[stamping]
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = config
[config]
serial = ./serial
default_policy = 1.2.3.4.1
digests = sha256, sha384
accuracy = secs:1
signer_digest = sha256
ess_cert_id_chain = no
`;

export class TestAuthority {
  readonly folder: string;
  /** PEM. */
  readonly root: string;

  /** @param key how its signer's key signs */
  constructor(folder: string, key: 'rsa' | 'ec' = 'ec') {
    this.folder = folder;
    this.root = join(folder, 'root.pem');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'openssl.cnf'), configuration);
    writeFileSync(join(folder, 'serial'), '0A');
    this.#certify('root', 'root', null, 'ec');
    this.#certify('middle', 'middle', 'root', 'ec');
    this.#certify('signer', 'stamping', 'middle', key);
  }

  #openssl(...words: string[]): Buffer {
    return execFileSync('openssl', words, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #certify(name: string, extensions: string, issuer: string | null, key: 'rsa' | 'ec'): void {
    const made = key === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const subject = ['-subj', `/O=Test/CN=A test's ${name}`, '-config', 'openssl.cnf'];
    const signed = issuer === null ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    const written = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30'];
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      ...made,
      '-nodes',
      ...subject,
      '-extensions',
      extensions,
      ...signed,
      ...written,
    );
  }

  /** SHA-256 of its root, as OpenSSL shows it. */
  get fingerprint(): string {
    const said = this.#openssl('x509', '-in', 'root.pem', '-noout', '-fingerprint', '-sha256').toString();
    return said.slice(said.indexOf('=') + 1).trim();
  }

  /** Answers a request as it would over a network. */
  answer(request: Uint8Array): Buffer {
    writeFileSync(join(this.folder, 'request.tsq'), request);
    const by = ['-signer', 'signer.pem', '-inkey', 'signer.key', '-chain', 'middle.pem', '-config', 'openssl.cnf'];
    this.#openssl('ts', '-reply', '-queryfile', 'request.tsq', ...by, '-out', 'answer.tsr');
    return readFileSync(join(this.folder, 'answer.tsr'));
  }

  /** Whether OpenSSL finds that a token is of a file's bytes, by this authority. */
  verifies(data: string, token: string): boolean {
    try {
      this.#openssl('ts', '-verify', '-data', data, '-in', token, '-token_in', '-CAfile', 'root.pem');
      return true;
    } catch {
      return false;
    }
  }
}
