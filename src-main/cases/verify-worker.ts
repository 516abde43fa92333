import { serveRequests } from '../base/pool.ts';
import { verifyRecords } from './verify-records.ts';
import type { RecordFindings, VerifyRequest } from './verify-records.ts';

serveRequests<VerifyRequest, RecordFindings>(async (request) => ({ response: verifyRecords(request) }));
