import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { UserFacingError } from '../../base/errors.ts';
import { availableBackends, startBackend } from './index.ts';
import { computeKernels, computeNetwork, difference } from './testing.ts';

// A machine without a graphics processor can test with Chromium's own software Vulkan (Debian: apt install chromium).
const swiftShader = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/lib/chromium-browser/vk_swiftshader_icd.json'];

async function adapterName(): Promise<string | null> {
  process.env.EARWITNESS_ALLOW_SOFTWARE_GPU = '1';
  const ask = async (): Promise<string | null> =>
    (await availableBackends()).find(({ name }) => name === 'webgpu')!.device;
  const real = await ask();
  const driver = swiftShader.find((file) => existsSync(file));
  if (real !== null || !driver || process.env.VK_ICD_FILENAMES) return real;
  process.env.VK_ICD_FILENAMES = driver;
  return ask();
}

const adapter = await adapterName();

describe.skipIf(adapter === null)(
  `backend webgpu on ${adapter ?? 'nothing (skipped: no adapter, nor Chromium)'}`,
  () => {
    it('leaves a software adapter alone unless it is allowed', async ({ skip }) => {
      if (!adapter!.endsWith(', software')) skip('This adapter is real hardware.');
      process.env.EARWITNESS_ALLOW_SOFTWARE_GPU = '';
      const error = await startBackend('webgpu').catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserFacingError);
      expect((error as UserFacingError).sentence).toContain('EARWITNESS_ALLOW_SOFTWARE_GPU=1');
      expect((await startBackend('auto')).name).not.toBe('webgpu');
      process.env.EARWITNESS_ALLOW_SOFTWARE_GPU = '1';
    });

    it('computes kernels, a network and all gradients as the CPU backend does', async () => {
      await startBackend('cpu');
      const expected = new Map([...(await computeKernels()), ...(await computeNetwork())]);
      const choice = await startBackend('webgpu');
      expect(choice).toMatchObject({ name: 'webgpu', device: adapter });
      expect(tf.getBackend()).toBe('webgpu');
      const actual = new Map([...(await computeKernels()), ...(await computeNetwork())]);
      expect([...actual.keys()]).toEqual([...expected.keys()]);
      const wrong = [...actual].flatMap(([name, values]) => {
        const far = difference(values, expected.get(name)!);
        return far <= 1e-4 ? [] : [`${name}: ${far}`];
      });
      expect(wrong).toEqual([]);
    });
  },
);
