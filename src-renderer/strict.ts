/**
 * Imported before the contract: under the window's content policy Zod must not try to compile its checks with `new Function`,
 * which would be refused and reported as a violation.
 */
import { config } from 'zod';

config({ jitless: true });
