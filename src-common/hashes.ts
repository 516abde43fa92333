import { z } from 'zod';

/** A SHA-256 as it stands in files, logs and messages: 64 hexadecimal digits, lower case. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
