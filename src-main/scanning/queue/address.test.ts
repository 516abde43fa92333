import { describe, expect, it } from 'vitest';
import type { UserFacingError } from '../../base/errors.ts';
import { queueAddress } from './address.ts';
import { differences } from './facts.ts';
import type { Made } from './facts.ts';

function messageOf(url: string): string {
  try {
    queueAddress(url);
  } catch (error) {
    return (error as UserFacingError).sentence;
  }
  throw new Error('it was taken');
}

describe('the address of a queue', () => {
  it('is shown without its password', () => {
    const url = 'postgres://lab:secret@127.0.0.1:5433/scans';
    const kept = 'postgres://lab@127.0.0.1:5433/scans';
    expect(queueAddress(url)).toEqual({ url, kept, shown: kept, hasPassword: true });
    expect(queueAddress('postgresql:///scans?host=/run/postgresql')).toMatchObject({ hasPassword: false });
    expect(queueAddress('postgres://localhost/scans?password=secret').shown).not.toContain('secret');
    expect(queueAddress('postgres://localhost/scans?password=secret').hasPassword).toBe(true);
  });

  it('is kept as it was given, without its password', () => {
    const options = 'sslmode=verify-full&sslrootcert=%2Fetc%2Flab.pem';
    const address = queueAddress(`postgres://lab:secret@queue.lab/scans?password=secret&${options}&sslpassword=secret`);
    expect(address.kept).toBe(`postgres://lab@queue.lab/scans?${options}`);
    expect(queueAddress(address.kept)).toMatchObject({ kept: address.kept, hasPassword: false });
    const socket = 'postgresql:///scans?host=%2Frun%2Fpostgresql';
    expect(queueAddress(socket).kept).toBe(socket);
  });

  it('says of another machine whether the connection is encrypted', () => {
    expect(messageOf('postgres://lab:secret@queue.lab/scans')).toMatch(/queue\.lab.*sslmode=verify-full/);
    expect(queueAddress('postgres://queue.lab/scans?sslmode=verify-full').shown).toBe('postgres://queue.lab/scans');
  });

  it('is never repeated where it is none', () => {
    for (const url of ['redis://:secret@host', 'postgres//lab:secret@host', 'postgres://lab:secret@host:port/db', '']) {
      expect(messageOf(url)).toContain('PostgreSQL');
      expect(messageOf(url)).not.toContain('secret');
    }
  });
});

describe('a worker', () => {
  const made: Made = {
    application: 'earwitness 1.0.0',
    backend: 'onnxruntime-node 1.0.0, CPU',
    ffmpeg: { version: '8.1', sha256: 'a'.repeat(64) },
  };

  it('suits a scan from which it differs in nothing, or in what is allowed', () => {
    const here = { ...made, application: 'earwitness 1.1.0', ffmpeg: null };
    expect(differences({ made, allow: [] }, made)).toEqual([]);
    expect(differences({ made, allow: ['application', 'ffmpeg'] }, here)).toEqual([]);
    expect(differences({ made, allow: ['application'] }, here)).toEqual([
      'ffmpeg is none here and 8.1 (aaaaaaaaaaaa) there',
    ]);
    // Of the same version, built otherwise.
    const other = { ...made, ffmpeg: { version: '8.1', sha256: 'b'.repeat(64) } };
    expect(differences({ made, allow: [] }, other)).toHaveLength(1);
  });
});
