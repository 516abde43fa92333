import { serveRequests } from '../base/pool.ts';
import { verifyRecords } from './verify.ts';
import type { RecordFindings, VerifyRequest } from './verify.ts';

serveRequests<VerifyRequest, RecordFindings>(async (request) => ({ response: verifyRecords(request) }));
