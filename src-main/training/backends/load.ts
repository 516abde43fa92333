/** Loads one TensorFlow.js backend into this process and makes it the current one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import nodeUtil from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelBackend } from '@tensorflow/tfjs-core';
import { UserFacingError } from '../../base/errors.ts';
import { isPackaged } from '../../base/installation.ts';
import { registerGradients } from './gradients.ts';
import { registerTensorflowKernels } from './tensorflow-kernels.ts';
import { registerWasmKernels } from './wasm-kernels.ts';

/** `cpu` is TensorFlow.js's plain JavaScript: the reference that the others are tested against, too slow to train with. */
export type BackendName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

export interface LoadedBackend {
  /** What computes, for people: processor or adapter, and the library's version where there is one. */
  device: string;
  /** True on a real graphics processor. */
  accelerated: boolean;
}

/** Not named `require`: the built program declares one of its own. */
const requirePackage = createRequire(import.meta.url);

/** A library's message with a full stop at its end. */
export function asSentence(message: string): string {
  return message === '' || message.endsWith('.') ? message : `${message}.`;
}

/** Set where the user has not: these hold from the moment that the native library is loaded. */
const tensorflowEnvironment = {
  // Errors only; it tells its processor's features otherwise.
  TF_CPP_MIN_LOG_LEVEL: '2',
  // Takes GPU memory as it is needed, not all of it at once.
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  // Chooses kernels on the GPU that repeat themselves.
  TF_DETERMINISTIC_OPS: '1',
  // Products on the GPU in full single precision: TF32's ten bits are too few to agree with the other backends.
  NVIDIA_TF32_OVERRIDE: '0',
};

/** Where the native binding of the `tensorflow` backend has to be; undefined where even its package is not installed. */
function tensorflowBinding(): string | undefined {
  try {
    const manifest = requirePackage.resolve('@tensorflow/tfjs-node-gpu/package.json');
    return join(dirname(manifest), 'lib', 'napi-v8', 'tfjs_binding.node');
  } catch {
    return undefined;
  }
}

/** True where `npm run setup:tensorflow` has put the native binding in place; says nothing about whether it loads. */
export function tensorflowIsSetUp(): boolean {
  const binding = tensorflowBinding();
  return binding !== undefined && existsSync(binding);
}

/** How to come by the native library. */
export function tensorflowAdvice(): string {
  return isPackaged()
    ? 'Packages come without it: start Earwitness from its sources to have it.'
    : 'Run npm run setup:tensorflow to have it.';
}

/** The names of NVIDIA's cards as their driver tells them (Linux), or an empty list. */
function nvidiaModels(): string[] {
  const folder = '/proc/driver/nvidia/gpus';
  try {
    const models = readdirSync(folder).map((card) => {
      const text = readFileSync(join(folder, card, 'information'), 'utf8');
      return /^Model:\s*(.+)$/m.exec(text)?.[1].trim() ?? '';
    });
    return [...new Set(models.filter((model) => model !== ''))];
  } catch {
    return [];
  }
}

interface NodeBackend extends KernelBackend {
  binding: { TF_Version: string };
  isUsingGpuDevice: boolean;
}

async function loadTensorflow(): Promise<LoadedBackend> {
  if (!tensorflowIsSetUp()) {
    throw new UserFacingError('backend', 'The tensorflow backend is not set up: its native library is missing.', {
      advice: `${tensorflowAdvice()} Or choose another backend.`,
      path: tensorflowBinding(),
    });
  }
  for (const [name, value] of Object.entries(tensorflowEnvironment)) process.env[name] ??= value;
  // The package still calls these functions; Node 23 took the first away, and warns of the second.
  const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  Object.assign(nodeUtil, { isNullOrUndefined, isArray: Array.isArray });
  // It is CommonJS, and so is what Node gives our imports of tfjs-core: both end at one engine and one registry.
  requirePackage('@tensorflow/tfjs-node-gpu');
  registerTensorflowKernels();
  await setBackend('tensorflow');
  const backend = tf.backend() as NodeBackend;
  const version = `TensorFlow ${backend.binding.TF_Version}`;
  if (!backend.isUsingGpuDevice) return { device: `CPU, ${version}`, accelerated: false };
  return { device: `${nvidiaModels().join(', ') || 'GPU'} (CUDA), ${version}`, accelerated: true };
}

const softwareAdapter = /swiftshader|llvmpipe|lavapipe|software|basic render|\bwarp\b/i;

async function loadWebgpu(): Promise<LoadedBackend> {
  const { create, globals } = await import('webgpu');
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new UserFacingError('backend', 'The webgpu backend finds no graphics adapter.', {
      advice: "Install the graphics card's driver (on Linux with Vulkan), or choose another backend.",
    });
  }
  const { vendor, architecture, device: model, description, isFallbackAdapter } = adapter.info;
  const name = description || model || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = isFallbackAdapter || softwareAdapter.test([vendor, architecture, model, description].join(' '));
  if (software && process.env.EARWITNESS_ALLOW_SOFTWARE_GPU !== '1') {
    throw new UserFacingError('backend', `The webgpu backend finds only a software adapter (${name}).`, {
      advice: 'Choose another backend, or set EARWITNESS_ALLOW_SOFTWARE_GPU=1 to use it all the same.',
    });
  }
  if (!tf.findBackendFactory('webgpu')) {
    // Imported before the navigator has a gpu, or it would register itself with an adapter of its own choice.
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
    const { limits } = adapter;
    const requiredLimits = {
      maxBufferSize: limits.maxBufferSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    };
    const device = await adapter.requestDevice({ requiredLimits });
    const backend = new WebGPUBackend(device, adapter.info);
    tf.registerBackend('webgpu', () => backend, 0);
  }
  await setBackend('webgpu');
  return { device: software ? `${name}, software` : name, accelerated: !software };
}

async function loadWasm(): Promise<LoadedBackend> {
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  registerWasmKernels();
  setWasmPaths(`${dirname(requirePackage.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await setBackend('wasm');
  reportFullHeap(tf.backend() as BackendWasm);
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return {
    device: simd ? 'CPU, WebAssembly with SIMD, one thread' : 'CPU, WebAssembly, one thread',
    accelerated: false,
  };
}

/** The heap ends at 4 GB at the latest; the backend would take the null pointer for memory and abort. */
function reportFullHeap({ wasm }: BackendWasm): void {
  const module = wasm as unknown as {
    _malloc: (bytes: number) => number;
    _free: (address: number) => void;
    guarded?: true;
  };
  if (module.guarded) return;
  module.guarded = true;
  // Emscripten puts the real function in place of a stub at the first call.
  module._free(module._malloc(1));
  const allocate = module._malloc;
  module._malloc = (bytes) => {
    const address = allocate(bytes);
    if (address !== 0 || bytes === 0) return address;
    throw new UserFacingError('memory', 'The wasm backend has no memory left for one batch and its gradients.', {
      advice: 'Choose a smaller batch, shorter inputs, fewer filters or another backend.',
    });
  };
}

async function loadCpu(): Promise<LoadedBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
  // It would advise every user to install tfjs-node.
  (tf.backend() as KernelBackend & { firstUse: boolean }).firstUse = false;
  return { device: 'CPU, JavaScript', accelerated: false };
}

async function setBackend(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its ${name} backend.`);
}

/**
 * Loads a backend into this process and makes it TensorFlow.js's current one.
 * @throws UserFacingError `backend` where what it needs is missing; anything else that its library throws.
 */
export async function loadBackend(name: BackendName): Promise<LoadedBackend> {
  registerGradients();
  const loaders = { tensorflow: loadTensorflow, webgpu: loadWebgpu, wasm: loadWasm, cpu: loadCpu };
  return loaders[name]();
}
