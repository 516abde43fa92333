import { serveRequests } from '../base/pool.ts';
import { verifyRecords } from './verify-records.ts';
import type { VerifyRequest } from './checks.ts';
import type { RecordFindings } from './verify-records.ts';

serveRequests<VerifyRequest, RecordFindings>(async (request) => ({ response: verifyRecords(request) }));
