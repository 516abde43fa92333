import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it } from 'vitest';
import { reportTemplateSchema } from '../../src-common/schemas/report-template.ts';
import { testContext } from './testing.ts';
import { templatesProcedures } from './templates.ts';

const template = (name: string, procedure = '') =>
  reportTemplateSchema.parse({ format: 'earwitness report template', version: 1, name, procedure });

it('templates are kept under one name each, renamed, exported and taken in again', async () => {
  const context = await testContext();
  const { list, keep, export: exportOne, import: importOne, remove } = templatesProcedures(context);
  const names = async () => (await call(list, undefined)).map((one) => one.template.name);
  await call(keep, { template: template('Court') });
  await call(keep, { template: template('Police') });
  await expect(call(keep, { template: template('Court', 'SOP 1') })).rejects.toThrow('another template');
  await call(keep, { template: template('High court', 'SOP 1'), before: 'Court' });
  expect(await names()).toEqual(['High court', 'Police']);

  // Of one name, but another: neither is lost in silence.
  const path = join(context.home, 'given.json');
  writeFileSync(path, JSON.stringify(template('Police', 'SOP 2')));
  await expect(call(importOne, { path })).rejects.toThrow('another template called “Police”');
  await call(remove, { name: 'Police' });
  const taken = await call(importOne, { path });
  expect(taken.template.procedure).toBe('SOP 2');
  expect((await call(importOne, { path })).sha256).toBe(taken.sha256);
  writeFileSync(path, '{}');
  await expect(call(importOne, { path })).rejects.toThrow('is no template for reports');
  expect(await call(exportOne, { name: 'Police', out: null })).toMatchObject({ path: null });
  expect(await names()).toEqual(['High court', 'Police']);
});
