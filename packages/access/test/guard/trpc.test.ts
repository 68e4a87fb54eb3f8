import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Access, AccessRefused, type Caller, refusalData, trpcGuard } from '@postern/access'
import { requestUrn } from '@postern/core'
import { initTRPC, TRPCError } from '@trpc/server'
import { exchangeOf } from '../support/exchange.ts'

const t = initTRPC.context<{ readonly caller: Caller }>().create()

test('a tRPC procedure is guarded, and its client told what is missing', async () => {
  const guarded = trpcGuard<{ readonly caller: Caller }>(new Access(), {
    require: { role: 'finance' },
    caller: context => context.caller,
    error: refusal => new TRPCError(refusal),
  })
  const router = t.router({
    purge: t.procedure
      .use(async ({ next, ...call }) => {
        await guarded(call)
        return next()
      })
      .mutation(() => 'purged'),
  })
  const as = (roles: readonly string[]) =>
    router.createCaller({ caller: { principal: { kind: 'user', id: 'a', roles } } })
  assert.equal(await as(['finance']).purge(), 'purged')
  await assert.rejects(as([]).purge(), (error: unknown) => {
    assert.ok(
      error instanceof TRPCError && error.code === 'FORBIDDEN' && error.cause instanceof AccessRefused,
    )
    assert.equal(refusalData(error.cause)?.['why'], 'role')
    return true
  })
  assert.equal(refusalData(new Error('other')), undefined)
  const nobody = router.createCaller({ caller: { principal: { kind: 'anonymous', id: '' } } })
  await assert.rejects(
    nobody.purge(),
    (error: unknown) => error instanceof TRPCError && error.code === 'UNAUTHORIZED',
  )
})

test('a refused procedure names the request, for whoever can look it up', async () => {
  const exchange = exchangeOf()
  const guarded = trpcGuard<{ readonly caller: Caller }>(new Access(), {
    require: { role: 'finance' },
    caller: context => context.caller,
    error: refusal => new TRPCError(refusal),
  })
  const caller: Caller = { principal: { kind: 'user', id: 'a' }, exchange }
  await assert.rejects(guarded({ ctx: { caller }, path: 'purge', getRawInput: async () => null }), error => {
    assert.ok(error instanceof TRPCError)
    assert.equal(refusalData(error.cause)?.['instance'], requestUrn(exchange))
    return true
  })
})

test('attack: a set or a map in the input is not the same act as another one', async () => {
  const guarded = trpcGuard<{ readonly caller: Caller }>(new Access(), {
    require: {},
    caller: context => context.caller,
    error: refusal => new TRPCError(refusal),
  })
  const caller: Caller = { principal: { kind: 'user', id: 'a' } }
  const call = (input: unknown) => guarded({ ctx: { caller }, path: 'purge', getRawInput: async () => input })
  await assert.rejects(call({ ids: new Set([1, 2]) }), TypeError)
  await assert.rejects(call({ ids: new Map([[1, 2]]) }), TypeError)
  await call({ ids: [1, 2], note: undefined })
})
