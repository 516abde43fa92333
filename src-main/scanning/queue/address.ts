import { UserFacingError } from '../../base/errors.ts';

/** Where a queue is, with what may be shown of it. */
export interface QueueAddress {
  /** As the person gave it; may hold a password. */
  url: string;
  /** To be kept: as it was given, without what is secret in it. */
  kept: string;
  /** Without password and options. */
  shown: string;
  hasPassword: boolean;
}

/** Options of PostgreSQL's addresses that hold a password. */
const secrets = ['password', 'sslpassword'];
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Reads the address of a PostgreSQL server's database.
 * @throws UserFacingError `usage`, which never repeats the address: it may hold a password
 */
export function queueAddress(url: string): QueueAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new UserFacingError('usage', 'The address of a queue is one of a PostgreSQL database.', {
      advice:
        'Write it as postgres://NAME@HOST:PORT/DATABASE?sslmode=verify-full, the password in PGPASSWORD or ~/.pgpass.',
    });
  }
  const { hostname, port, username, pathname, searchParams } = parsed;
  const host = hostname || searchParams.get('host') || 'localhost';
  if (!loopback.test(host) && !host.startsWith('/') && !searchParams.has('sslmode')) {
    throw new UserFacingError('usage', `It is not said whether the connection to ${host} is encrypted.`, {
      advice:
        'Add ?sslmode=verify-full to the address (sslrootcert=FILE names the authority), or, in a network of your own, ?sslmode=disable.',
    });
  }
  const hasPassword = parsed.password !== '' || secrets.some((secret) => searchParams.has(secret));
  const kept = new URL(parsed);
  kept.password = '';
  for (const secret of secrets) kept.searchParams.delete(secret);
  const name = username === '' ? '' : `${username}@`;
  return {
    url,
    shown: `postgres://${name}${host}${port === '' ? '' : `:${port}`}${pathname}`,
    kept: kept.href,
    hasPassword,
  };
}
