/** `earwitness case sign-report`: an issued report's PDF, signed by the laboratory's certificate. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { exitStatus, withStatus } from './context.ts';
import { withCase, writeHead } from './case-session.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';

/** A key with a long chain of certificates takes some ten thousand. */
const mostPemBytes = 2 ** 20;

interface SignOptions {
  key: string;
  certificate: string;
  out: string;
  reason: string;
  overwrite?: boolean;
}

export function registerSignReport(command: Command): void {
  command
    .command('sign-report')
    .description("Sign an issued report's PDF by a certificate of the laboratory's (PAdES).")
    .argument('<dir>', "the case's folder")
    .argument('<number>', 'the report, as 2026-014/1')
    .requiredOption('--key <file.pem>', "the certificate's private key: RSA of at least 2048 bits, or EC")
    .requiredOption('--certificate <file.pem>', 'the certificate, and those above it that a reader needs')
    .requiredOption('--out <file.pdf>', 'the signed document')
    .option('--reason <text>', 'why it is signed, as readers of PDF show it', 'Issued report')
    .addOption(overwriteOption())
    .addHelpText(
      'after',
      `
The signature stands behind the report as it was issued, whose bytes are kept, and readers of PDF show it. The log notes whose certificate it is
and the hash of what was written; “earwitness verify DIR --report FILE.pdf” knows the report with it and without. Whether the certificate is
trusted is for the reader's own list. EARWITNESS_KEY_PASSPHRASE takes the passphrase of the key's file. A file of PKCS #12 becomes PEM by
“openssl pkcs12 -in lab.p12 -out lab.pem”, which then is both key and certificate.
Exit status: 0 done, 1 not signed (why, is said), 2 wrong usage.`,
    )
    .action(withStatus(signReport));
}

async function read(path: string): Promise<string> {
  const { unreadable } = await import('../audio/input.ts');
  try {
    if ((await stat(path)).size <= mostPemBytes) return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new UserFacingError('certificate', `${path} is too long for a key or a certificate.`, {
    path,
    advice: 'Name the PEM file that holds it.',
  });
}

async function signReport(folder: string, number: string, options: SignOptions): Promise<number> {
  if (!options.out.toLowerCase().endsWith('.pdf')) {
    throw new UserFacingError('usage', `--out ${options.out} does not end in .pdf.`);
  }
  const outputs = { overwrite: options.overwrite, cases: [folder] };
  await mustBeFree([options.out], outputs);
  const [
    { readSigner, signPdf, certificateWords },
    { givenPassphrase },
    { reportAgain },
    { sha256 },
    { reportSigned },
  ] = await Promise.all([
    import('../cases/signed-pdf/signed-pdf.ts'),
    import('../base/passphrase.ts'),
    import('../casework/issue-report.ts'),
    import('../base/sha256.ts'),
    import('../cases/issued-reports.ts'),
  ]);
  const [key, certificates] = [await read(options.key), await read(options.certificate)];
  const signer = readSigner(key, certificates, givenPassphrase());
  const words = certificateWords(signer.certificates[0]);
  return withCase(folder, async (store) => {
    const { pdf, issued } = await reportAgain(store, number);
    const statement = { name: words, reason: options.reason, time: new Date() };
    const signed = signPdf(pdf, signer, statement);
    await writeOutputs(new Map([[options.out, signed]]), outputs);
    store.log.note(reportSigned, `Signed the PDF of the report ${issued.number} by the certificate of ${words}.`, {
      number: issued.number,
      sha256: issued.sha256,
      signedSha256: sha256(signed),
      certificateSha256: signer.certificates[0].fingerprint256.replaceAll(':', '').toLowerCase(),
    });
    process.stdout.write(
      `${visibleName(`${resolve(options.out)}: report ${issued.number}, signed by the certificate of ${words}.`)}\n`,
    );
    writeHead(store);
    return exitStatus.done;
  });
}
