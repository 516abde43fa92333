import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it, onTestFinished } from 'vitest';
import { accept } from '../base/accepted.ts';
import { authorities, readCertificate } from '../cases/anchors/authorities.ts';
import { hasOpenssl, TestAuthority } from '../cases/anchors/testing.ts';
import { anchorsProcedures } from './anchors.ts';
import { OpenCases } from './open-cases.ts';
import { testContext } from './testing.ts';

it.skipIf(!hasOpenssl)(
  'has a log stamped by files, by an authority of OpenSSL, and says how far it reaches',
  async () => {
    const parts = await testContext();
    const context = { ...parts, cases: new OpenCases(parts) };
    onTestFinished(() => context.cases.close());
    const folder = realpathSync(context.home);
    await context.settings.set({ roots: [folder] });
    const anchors = anchorsProcedures(context);
    const { id: caseId } = context.cases.create({ number: '1', title: 'A call' });
    expect(await call(anchors.state, { caseId })).toEqual({ anchored: null, authorities: [] });
    const refused = await call(anchors.ask, { caseId, url: 'nowhere' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ data: { code: 'time-stamp' } });

    const tsa = new TestAuthority(join(folder, 'tsa'));
    const certificate = readCertificate(tsa.root).raw.toString('base64');
    await accept(context.home, authorities, { name: 'A test', certificate, acceptedBy: 'Ada' });
    const [request, answer] = [join(folder, 'log.tsq'), join(folder, 'log.tsr')];
    expect(await call(anchors.request, { caseId, out: request })).toMatchObject({ path: request });
    writeFileSync(answer, tsa.answer(readFileSync(request)));
    const anchored = await call(anchors.take, { caseId, path: answer });
    expect(anchored).toMatchObject({ rows: 1, by: 'A test' });
    expect(await call(anchors.state, { caseId })).toEqual({ anchored, authorities: ['A test'] });
  },
);
