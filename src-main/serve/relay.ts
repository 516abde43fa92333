import type { WebSocket } from 'ws';
import type { EngineConnection, Supervisor } from '../host/supervisor.ts';
import { WaitingFrames, mostWaitingBytes, mostWaitingFrames } from '../host/waiting-frames.ts';

/** How long a window waits for the next engine before it is turned away. */
const engineWaitMs = 20_000;
/** WebSocket close codes. */
const serviceRestart = 1012;
const tryAgainLater = 1013;

/** Passes frames between a window and the engine; some that come before an engine answers wait for it. */
export async function relay(webSocket: WebSocket, supervisor: Pick<Supervisor, 'ready' | 'connect'>): Promise<void> {
  let connection: EngineConnection | null = null;
  const waiting = new WaitingFrames();
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('close', () => connection?.close());
  webSocket.on('message', (data: Buffer, isBinary) => {
    const frame = isBinary ? data : data.toString('utf8');
    if (connection !== null) connection.send(frame);
    else if (webSocket.readyState === webSocket.OPEN && !waiting.add(frame)) {
      const most = `${mostWaitingFrames} messages or ${mostWaitingBytes / 1024 ** 2} MiB`;
      webSocket.close(tryAgainLater, `More than ${most} came before the engine answered.`);
    }
  });
  const timer = setTimeout(() => webSocket.close(tryAgainLater), engineWaitMs);
  try {
    await supervisor.ready();
  } catch {
    webSocket.close(tryAgainLater);
    return;
  } finally {
    clearTimeout(timer);
  }
  if (webSocket.readyState !== webSocket.OPEN) return;
  connection = supervisor.connect({
    onFrame: (data) => webSocket.send(data),
    onClose: () => webSocket.close(serviceRestart),
  });
  for (const frame of waiting.take()) connection.send(frame);
}
