import { serveRequests } from '../base/pool.ts';
import { inspectFile } from './inspect-file.ts';
import type { FileFindings, FileRequest } from './inspect-file.ts';

serveRequests<FileRequest, FileFindings>(async (request, signal) => ({
  response: await inspectFile(request, signal),
}));
