import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { registerAccepted } from './accepted.ts';
import { exitStatus, withStatus } from './context.ts';

export function register(program: Command): void {
  const authority = program
    .command('authority')
    .description('Time-stamping authorities (RFC 3161) whose stamps on custody logs count here: by their roots.');
  authority
    .command('accept')
    .description('Accept the root certificate that the stamps of an authority are checked up to.')
    .argument('<certificate>', 'PEM or DER, as the authority publishes it')
    .requiredOption('--name <name>', 'whose it is')
    .requiredOption('--fingerprint <sha256>', 'of the certificate, got by another way than the file')
    .addHelpText(
      'after',
      `
"case anchor" asks such an authority to stamp a case's log; "verify" checks each stamp up to a certificate that is accepted here. What is withdrawn
later is said to be so, and its stamps count no longer.`,
    )
    .action(withStatus(accept));
  registerAccepted(authority, 'Accept no longer what a certificate vouches for.', async () => {
    const { authorities, certificateOf } = await import('../cases/anchors/authorities.ts');
    return {
      kind: authorities,
      fingerprintOf: (one) => certificateOf(one).fingerprint256,
      effect: '`verify` takes none of its time stamps here any more.',
    };
  });
}

async function accept(path: string, { name, fingerprint }: { name: string; fingerprint: string }): Promise<number> {
  const { authorities, isCertificateFingerprint, readCertificate } = await import('../cases/anchors/authorities.ts');
  const accepted = await import('../base/accepted.ts');
  const { systemActor } = await import('../cases/session.ts');
  const certificate = readCertificate(resolve(path));
  if (!isCertificateFingerprint(fingerprint, certificate)) {
    throw new UserFacingError(
      'usage',
      `The certificate's SHA-256 is ${certificate.fingerprint256}, not ${fingerprint}.`,
      {
        path,
        advice: 'Ask the authority for the fingerprint of its root; accept nothing by what the file itself says.',
      },
    );
  }
  const der = certificate.raw.toString('base64');
  await accepted.accept(resolve(dataFolder()), authorities, { name, certificate: der, acceptedBy: systemActor() });
  process.stdout.write(`Accepted: ${visibleName(name)}, ${certificate.fingerprint256}.\n`);
  return exitStatus.done;
}
