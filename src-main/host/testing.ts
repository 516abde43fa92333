import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a pretended engine does at its start, before it answers as far as the host can tell. */
export type Pretence = 'answers' | 'dies' | 'hangs';

/**
 * Writes an engine of a few lines: it says that it is ready, sends frames back, serves ranges of `0123456789`, and crashes on the
 * frame `crash`.
 * @returns its file
 */
export function writePretendedEngine(folder: string, pretence: Pretence = 'answers'): string {
  const file = join(folder, `${pretence}.mjs`);
  writeFileSync(
    file,
    `import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
if (${JSON.stringify(pretence)} === 'dies') {
  process.stderr.write('no luck\\n');
  process.exit(9);
}
const socket = process.platform === 'win32'
  ? '\\\\\\\\.\\\\pipe\\\\earwitness-test-' + process.pid
  : join(mkdtempSync(join(tmpdir(), 'earwitness-engine-')), 's');
createServer((request, response) => {
  const [, from, to] = /bytes=(\\d+)-(\\d+)/.exec(request.headers.range ?? '') ?? [null, 0, 9];
  const key = request.headers['earwitness-key'];
  response.writeHead(206, { 'content-range': 'bytes ' + from + '-' + to + '/10', 'x-key': String(key), 'x-path': request.url });
  response.end('0123456789'.slice(+from, +to + 1));
}).listen(socket, () => process.send({ type: 'ready', startedAt: '', socket, key: 'the key' }));
process.on('message', (message) => {
  if (message.type === 'frame' && message.data === 'ask') {
    process.send({ type: 'confirm', question: 1, what: { kind: 'root', path: '/asked' } });
    process.once('message', ({ yes }) => process.send({ ...message, data: 'answer ' + yes }));
    return;
  }
  if (message.type === 'frame' && message.data === 'crash') process.exit(9);
  if (message.type === 'frame') process.send({ ...message, data: [message.data, process.argv.includes('--recovered')].join(' ') });
  if (message.type === 'stop' && ${JSON.stringify(pretence)} !== 'hangs') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
`,
  );
  return file;
}
