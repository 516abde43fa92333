import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { VerifyRequest } from '../cases/checks.ts';
import type { Verification } from '../../src-common/schemas/custody.ts';
import { dataFolder } from '../base/home.ts';
import { colour, exitStatus, interruptible, withStatus } from './context.ts';

/** A longer file is looked at by its hash alone: a signature is searched for in a text, which could not hold it. */
const mostSignedBytes = 2 ** 28;

interface VerifyOptions {
  expectHead?: string;
  expectKey?: string;
  report?: string;
  json?: boolean;
}

function sha256(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('It must be a SHA-256: 64 hexadecimal digits.');
  return text.toLowerCase();
}

export function register(program: Command): void {
  program
    .command('verify')
    .description('Check a case: its log and signature, every file of evidence, every result and report.')
    .argument('<dir>', "the case's folder")
    .option('--expect-head <hash>', 'a head of the log, as a report or an export names it', sha256)
    .option(
      '--expect-key <fingerprint>',
      'the key that should have signed, as `case show` names it where the case was made',
    )
    .option('--report <file>', 'a PDF: is it a report that this case issued, unchanged?')
    .option('--json', 'every check as JSON')
    .addHelpText(
      'after',
      `
There are two verdicts: integrity (log, files, results, reports) and signer (known, unknown, replaced). Exit status: 0 intact and signed by a
known key, 1 it cannot be checked, 2 wrong usage, 4 not so (what, is named), 130 interrupted. Nothing is written, and no key is needed. The log
shows any edit, deletion, reordering or truncation by whoever lacks the installation's key; against whoever has case and key, give
--expect-head with the head that stands in a report or an export.`,
    )
    .action(withStatus(verify));
}

type Check = Verification['checks'][number];

/** What does not hold one by one; of files and results that hold, how many. */
function lines(checks: readonly Check[]): string[] {
  const many = (subject: Check['subject']): boolean => subject === 'evidence' || subject === 'result';
  const named = checks.filter(
    ({ subject, holds, name, remark }) => !holds || remark || !many(subject) || /^(files|results)$/.test(name),
  );
  const shown = named.map(({ subject, name, holds, remark, sentence }) => {
    const sign = !holds
      ? colour('red', 'NOT', process.stdout)
      : remark
        ? colour('yellow', '!  ', process.stdout)
        : 'ok ';
    return `${sign} ${visibleName(`${subject} (${name}): ${sentence}`)}`;
  });
  for (const [subject, words] of Object.entries({
    result: 'results are those in the log',
    evidence: 'files are what was taken in',
  })) {
    const holding = checks.filter((check) => check.subject === subject && !named.includes(check)).length;
    if (holding > 0) shown.push(`ok  ${subject}: ${holding} ${words}.`);
  }
  return shown;
}

const signerUntold: Record<Verification['signer']['verdict'], string> = {
  known: '',
  unknown: 'Whole, but by whom it was signed is not known here.\n',
  replaced: 'Whole, but signed by another key than it should be.\n',
  unsigned: 'Not signed.\n',
};

/** What a file that may be a report is, and a signature behind it. */
async function reportGiven(
  path: string,
  signal: AbortSignal,
): Promise<Pick<VerifyRequest, 'reportSha256' | 'reportSignature'>> {
  const [{ sha256File }, { unreadable }, { sha256: hashOf }, { certificateWords, signatureBehind }] = await Promise.all(
    [
      import('../audio/hash.ts'),
      import('../audio/input.ts'),
      import('../base/sha256.ts'),
      import('../cases/signed-pdf/signed-pdf.ts'),
    ],
  );
  const unreadableHere = (error: unknown): never => {
    throw unreadable(path, error);
  };
  const { size } = await stat(path).catch(unreadableHere);
  const bytes = size > mostSignedBytes ? null : await readFile(path, { signal }).catch(unreadableHere);
  const found = bytes && signatureBehind(bytes);
  if (found === null) return { reportSha256: await sha256File(path, signal) };
  const { document, certificate, problem } = found;
  const words =
    certificate === null
      ? `The signature behind the report does not hold: ${problem}.`
      : `The report is signed by the certificate of ${certificateWords(certificate)}; whether that is trusted is not looked at.`;
  return { reportSha256: hashOf(document), reportSignature: { words, holds: certificate !== null } };
}

async function verify(folder: string, { expectHead, expectKey, report, json }: VerifyOptions): Promise<number> {
  const { verifyCase } = await import('../cases/verify.ts');
  return interruptible(async (signal, progress) => {
    const given = report === undefined ? {} : await reportGiven(resolve(report), signal);
    const request = { folder: resolve(folder), home: resolve(dataFolder()), expectHead, expectKey, ...given };
    const onProgress = (done: number, total: number): void => progress.show(`${done} of ${total} files`);
    const verification = await verifyCase(request, { signal, onProgress });
    const { intact, integrity, signer, checks, head, time, anchored } = verification;
    progress.clear();
    if (json)
      process.stdout.write(`${JSON.stringify({ intact, integrity, signer, time, head, anchored, checks }, null, 1)}\n`);
    else {
      for (const line of lines(checks)) process.stdout.write(`${line}\n`);
      const failing = checks.filter(
        ({ subject, name, holds }) => !holds && !(subject === 'signature' && name === 'signer'),
      );
      process.stdout.write(`Custody log: ${head.rows} rows, head ${head.hash}\n`);
      const whole = integrity ? 'intact' : `not intact: ${failing.length} of ${checks.length} checks do not hold`;
      process.stdout.write(`Integrity (log, files, results, reports): ${whole}.\n`);
      process.stdout.write(
        `Signer: ${signer.verdict}${signer.fingerprint === null ? '' : ` (${signer.fingerprint})`}.\n`,
      );
      process.stdout.write(
        anchored === null
          ? 'Anchored: by no time-stamping authority that is accepted here.\n'
          : `Anchored: until row ${anchored.rows}, by ${visibleName(anchored.by)}, ${anchored.time}.\n`,
      );
      process.stdout.write(intact ? 'Intact.\n' : integrity ? signerUntold[signer.verdict] : 'Not intact.\n');
    }
    return intact ? exitStatus.done : exitStatus.notIntact;
  });
}
