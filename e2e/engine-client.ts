/** The contract as a script speaks it: what specs and measurements prepare without the window. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { WebSocket } from 'ws';
import type { Job } from '../src-common/schemas/job.ts';
import type { Contract } from '../src-preload/contract.ts';
import type { RunningHost } from './hosts.ts';

type Client = ContractRouterClient<Contract>;

/** A connection to the engine behind `earwitness serve`, beside the window's. */
export async function connectTo(host: RunningHost): Promise<{ client: Client; close: () => void }> {
  const { origin, host: place } = new URL(host.address ?? '');
  const cookie = (await host.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const websocket = new WebSocket(`ws://${place}/rpc`, { headers: { origin, cookie } });
  await new Promise((done, fail) => {
    websocket.on('open', done);
    websocket.on('error', fail);
  });
  const link = new RPCLink({ websocket });
  return { client: createORPCClient(link), close: () => websocket.close() };
}

/** Waits for the end of a job; throws where it failed. */
export async function jobDone(client: Client, { jobId }: { jobId: string }): Promise<Job> {
  for (;;) {
    const job = (await client.jobs.list()).find(({ id }) => id === jobId);
    if (job === undefined) throw new Error(`There is no job ${jobId}.`);
    if (job.endedAt !== null) {
      if (job.state !== 'done') throw new Error(`${job.title}: ${job.state}, ${job.error?.message ?? ''}`);
      return job;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
