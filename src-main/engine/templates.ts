import { writeFile } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';
import { TemplateStore, kept, readTemplate, templateFile } from '../reports/template-store.ts';
import type { EngineContext } from './context.ts';
import { deliver, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { removeUploads } from './uploads.ts';

function taken(name: string): UserFacingError {
  return new UserFacingError('exists', `There is another template called “${name}”.`, {
    advice: 'Give one of them another name, or remove the one that is there.',
  });
}

/** `templates` of the contract. */
export function templatesProcedures(context: EngineContext) {
  const store = new TemplateStore(context.home);
  return {
    list: os.templates.list.handler(() => store.list()),
    keep: os.templates.keep.handler(async ({ input: { template, before } }) => {
      const others = before === template.name ? [] : await store.list();
      if (others.some((one) => one.template.name === template.name)) throw taken(template.name);
      const now = await store.keep(template);
      if (before !== null && before !== template.name) await store.remove(before);
      return now;
    }),
    import: os.templates.import.handler(async ({ input }) => {
      const path = await readablePath(context, input.path);
      const template = await readTemplate(path).finally(() => removeUploads(context.home, [path]));
      const there = (await store.list()).find((one) => one.template.name === template.name);
      if (there !== undefined && there.sha256 !== kept(template).sha256) throw taken(template.name);
      return store.keep(template);
    }),
    export: os.templates.export.handler(async ({ input: { name, out } }) => {
      const { template } = await store.get(name);
      const file = { name: `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.json`, type: 'application/json' };
      return deliver(context, out, file, (path) => writeFile(path, templateFile(template)));
    }),
    remove: os.templates.remove.handler(async ({ input }) => {
      await store.remove(input.name);
      return {};
    }),
  };
}
