import { describe, expect, it } from 'vitest';
import { agree } from './agree.ts';
import * as clients from './client-offers.fake.ts';
import { HubError, type Opened } from './whip-client.ts';

const refusal = (status: number) => new HubError('HUB_REFUSED', `status ${status}`, { status });

/** A server that takes one offer alone. */
function serverOf(taken: string) {
  const posted: string[] = [];
  const post = async (offer: string): Promise<Opened> => {
    posted.push(offer);
    if (offer !== taken) throw refusal(offer === 'usual' ? 400 : 422);
    return { answer: clients.obs30, resource: null, countered: false, namesRelay: false };
  };
  return { posted, post };
}

describe('An offer that is refused', () => {
  const proposal = { offer: 'usual', instead: ({ status }: HubError) => (status === 400 ? 'other' : null) };
  const end = async () => {};

  it('is followed by the other one', async () => {
    const server = serverOf('other');
    await agree(proposal, server.post, end);
    expect(server.posted).toEqual(['usual', 'other']);
  });

  it('is what is reported if the other one is refused, too', async () => {
    const server = serverOf('neither');
    await expect(agree(proposal, server.post, end)).rejects.toMatchObject({ status: 400 });
    expect(server.posted).toEqual(['usual', 'other']);
  });

  it('stands if another one makes no sense', async () => {
    const server = serverOf('neither');
    const stubborn = { ...proposal, instead: () => null };
    await expect(agree(stubborn, server.post, end)).rejects.toMatchObject({ status: 400 });
    expect(server.posted).toEqual(['usual']);
  });
});
