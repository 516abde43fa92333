/**
 * Loaded into the engine by `NODE_OPTIONS`: notes for how long its loop is held up, and writes the longest time and the most processor time of
 * its thread in one turn, in milliseconds, to a file when it is asked by SIGUSR2, from then on anew.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env.EARWITNESS_DELAY_FILE;
if (file && isMainThread && /engine\.js$/.test(process.argv[1] ?? '')) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let busiestMs = 0;
  let before = process.threadCpuUsage();
  // Between two turns of the loop; where others want the cores, only this says what it did itself.
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    busiestMs = Math.max(busiestMs, (user + system) / 1000);
    before = process.threadCpuUsage();
  }, 1).unref();
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify({ longestMs: delay.max / 1e6, busiestMs }));
    delay.reset();
    busiestMs = 0;
  });
}
