/** The TensorFlow.js backends that training runs on: which there are, and which one to take. */
import { fork } from 'node:child_process';
import { UserFacingError } from '../../base/errors.ts';
import { workerFile } from '../../base/workers.ts';
import type { ProbeMessage } from './backend-probe-worker.ts';
import { asSentence, loadBackend, tensorflowIsSetUp, tensorflowAdvice } from './load.ts';
import type { BackendName } from './load.ts';

export type { BackendName } from './load.ts';

export interface BackendChoice {
  name: BackendName;
  /** `CPU, TensorFlow 2.15.1`, or the adapter's name. */
  device: string;
  /** Why this one, as sentences: what was tried before it and why that did not serve. */
  reason: string;
}

export interface BackendAvailability {
  name: BackendName;
  available: boolean;
  device: string | null;
  /** Why it is not available and what to do, or what it is good for. */
  reason: string;
}

/** A first start of CUDA may compile for minutes; a machine without a driver answers at once. */
const probeLimitMilliseconds = { tensorflow: 180_000, webgpu: 60_000 };

/** Tries a native backend in a child process, which it may crash or hang without harm. */
async function probe(name: 'tensorflow' | 'webgpu'): Promise<ProbeMessage> {
  if (name === 'tensorflow' && !tensorflowIsSetUp()) {
    return { failure: 'TensorFlow is not set up.', advice: tensorflowAdvice() };
  }
  return new Promise((resolve) => {
    const child = fork(workerFile('training/backends/backend-probe-worker'), [name], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
    const limit = probeLimitMilliseconds[name];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ failure: `The ${name} backend did not answer within ${limit / 1000} s.` });
    }, limit);
    child.on('error', (error) => resolve({ failure: `The ${name} backend could not be tried: ${error.message}.` }));
    child.on('message', (message) => resolve(message as ProbeMessage));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const last = asSentence(errors.trim().split('\n').at(-1) ?? '');
      const end = signal ? `signal ${signal}` : `status ${code}`;
      // Without effect where a message came.
      resolve({ failure: `The ${name} backend ended the process that tried it (${end}). ${last}`.trim() });
    });
  });
}

async function start(name: BackendName, reason: string): Promise<BackendChoice> {
  try {
    return { name, device: (await loadBackend(name)).device, reason };
  } catch (error) {
    if (error instanceof UserFacingError) throw error;
    const what = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserFacingError('backend', asSentence(`The ${name} backend does not load: ${what}`), {
      advice: 'Choose another backend.',
      cause: error,
    });
  }
}

/**
 * Starts a backend of TensorFlow.js in this process and makes it the current one. `auto` takes the first that answers
 * of TensorFlow on CUDA, WebGPU on a real graphics processor, TensorFlow on the CPU, WebAssembly. The native ones are
 * tried in a child process first.
 * @throws UserFacingError `backend` where the wanted one does not load.
 */
export async function startBackend(wanted: BackendName | 'auto'): Promise<BackendChoice> {
  if (wanted !== 'auto') {
    if (wanted === 'tensorflow' || wanted === 'webgpu') {
      const tried = await probe(wanted);
      if ('failure' in tried) {
        const again = wanted === 'tensorflow' ? 'Run npm run setup:tensorflow again, or choose' : 'Choose';
        throw new UserFacingError('backend', tried.failure, { advice: tried.advice ?? `${again} another backend.` });
      }
    }
    return start(wanted, 'It was asked for.');
  }
  const tensorflow = await probe('tensorflow');
  if ('loaded' in tensorflow && tensorflow.loaded.accelerated) {
    return start('tensorflow', 'TensorFlow answers on CUDA, which is fastest.');
  }
  const before = 'failure' in tensorflow ? tensorflow.failure : 'TensorFlow finds no CUDA device.';
  const webgpu = await probe('webgpu');
  if ('loaded' in webgpu && webgpu.loaded.accelerated) {
    return start('webgpu', `${before} WebGPU answers on a graphics processor.`);
  }
  const both = `${before} ${'failure' in webgpu ? webgpu.failure : 'WebGPU finds only a software adapter.'}`;
  if ('loaded' in tensorflow) return start('tensorflow', `${both} TensorFlow answers on the CPU.`);
  return start('wasm', `${both} WebAssembly runs everywhere.`);
}

/** Which backends would start here, each tried in a process of its own; nothing is loaded into this one. */
export async function availableBackends(): Promise<BackendAvailability[]> {
  const purposes = {
    tensorflow: 'Fastest on the CPU, and on CUDA where the library was set up with it.',
    webgpu: "Any maker's graphics processor.",
  };
  const native = (['tensorflow', 'webgpu'] as const).map(async (name): Promise<BackendAvailability> => {
    const tried = await probe(name);
    if ('failure' in tried) {
      const reason = tried.advice ? `${tried.failure} ${tried.advice}` : tried.failure;
      return { name, available: false, device: null, reason };
    }
    return { name, available: true, device: tried.loaded.device, reason: purposes[name] };
  });
  return [
    ...(await Promise.all(native)),
    { name: 'wasm', available: true, device: 'CPU, WebAssembly, one thread', reason: 'Runs everywhere.' },
  ];
}
