import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actingAs, currentActing, guardPrisma } from '@postern/access'

interface Request {
  readonly id: number
  readonly model?: string
  readonly transaction?: { readonly kind: string; readonly id: number }
}

/**
 * The loader as Prisma has it: whoever comes first in a tick has everything of that tick sent. The client
 * itself needs a database (`e2e/budgets-prisma.test.ts`).
 */
class Loader {
  /** Who acted as each lot of requests was sent. */
  readonly sent: [string | undefined, number[]][] = []
  readonly options = {
    batchBy: ({ model, transaction }: Request): string | undefined =>
      transaction === undefined ? model : `transaction-${transaction.id}`,
    singleLoader: async (request: Request): Promise<unknown> => this.#send([request]),
    batchLoader: async (requests: readonly Request[]): Promise<unknown> => this.#send(requests),
  }

  #batches = new Map<string, Request[]>()
  #done = Promise.resolve()

  #send(requests: readonly Request[]): void {
    this.sent.push([currentActing()?.actor, requests.map(({ id }) => id)])
  }

  request(request: Request): void {
    const batch = this.options.batchBy(request)
    if (batch === undefined) return void this.options.singleLoader(request)
    if (this.#batches.size === 0)
      this.#done = new Promise(resolve => {
        process.nextTick(() => {
          for (const [, requests] of this.#batches) {
            const [first] = requests
            if (requests.length === 1 && first !== undefined) void this.options.singleLoader(first)
            else void this.options.batchLoader(requests)
          }
          this.#batches.clear()
          resolve()
        })
      })
    this.#batches.set(batch, [...(this.#batches.get(batch) ?? []), request])
  }

  async sentAll(): Promise<[string | undefined, number[]][]> {
    await this.#done
    return this.sent
  }
}

const alice = { actor: 'user:alice' }
const bob = { actor: 'user:bob' }

test('queries of one tick are sent for who made them, and only those of one actor are merged', async () => {
  const loader = new Loader()
  const prisma = { _requestHandler: { dataloader: loader } }
  assert.equal(guardPrisma(prisma), prisma)
  // A client that `$extends` made has the same loader.
  guardPrisma({ ...prisma })
  loader.request({ id: 1, model: 'Order' })
  actingAs(alice, () => loader.request({ id: 2, model: 'Order' }))
  actingAs(bob, () => loader.request({ id: 3, model: 'Order' }))
  actingAs(alice, () => loader.request({ id: 4, model: 'Order' }))
  actingAs(bob, () => loader.request({ id: 5, model: 'Item' }))
  const transaction = { kind: 'batch', id: 1 }
  actingAs(bob, () => {
    for (const id of [6, 7]) loader.request({ id, transaction })
  })
  actingAs(alice, () => loader.request({ id: 8 }))
  assert.deepEqual(await loader.sentAll(), [
    ['user:alice', [8]],
    [undefined, [1]],
    ['user:alice', [2, 4]],
    ['user:bob', [3]],
    ['user:bob', [5]],
    ['user:bob', [6, 7]],
  ])
})

test('who acts is asked of the function that the pool has', async () => {
  const loader = new Loader()
  let who = alice
  guardPrisma({ _requestHandler: { dataloader: loader } }, () => who)
  loader.request({ id: 1, model: 'Order' })
  who = bob
  loader.request({ id: 2, model: 'Order' })
  assert.deepEqual(
    (await loader.sentAll()).map(([, ids]) => ids),
    [[1], [2]],
  )
})

test('anything else than a client of Prisma 7 is refused, and not left unguarded', () => {
  for (const other of [{}, { _requestHandler: { dataloader: { options: {} } } }, { _requestHandler: null }])
    assert.throws(() => guardPrisma(other), { code: 'POSTERN_CONFIG', message: /guardPrisma/ })
})
