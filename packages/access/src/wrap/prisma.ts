import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigError } from '@postern/core'
import { type Acting, currentActing } from '../budget/acting-as.ts'

/** A query on its way to Prisma's engine, as far as it is used here. */
interface PrismaRequest {
  readonly transaction?: { readonly kind?: string }
}

/** What Prisma's loader is made of: it gathers queries of one tick, and sends them together. */
interface LoaderOptions {
  batchBy(request: PrismaRequest): string | undefined
  singleLoader(request: PrismaRequest): unknown
  batchLoader(requests: readonly PrismaRequest[]): unknown
}

type InContext = ReturnType<typeof AsyncLocalStorage.snapshot>

/** Loaders that are guarded: all clients made of one by `$extends` share it. */
const guardedLoaders = new WeakSet<LoaderOptions>()

/**
 * Keeps the queries of different actors apart in Prisma: it gathers every `findUnique` and every
 * `$transaction([...])` of one tick, whoever made them, merges what looks the same, and sends all of it in
 * the context of whoever came first. On a guarded pool alone, that one pays for what all others read and
 * change.
 * @param acting who acts, where the pool was given an `acting` of its own. Default: `currentActing`
 * @returns the same client
 * @throws ConfigError when it is not a client whose loader is known (those of Prisma 7 are)
 * @example
 * const prisma = guardPrisma(new PrismaClient({ adapter: new PrismaPg(guardPool(pool, { claim })) }))
 */
export function guardPrisma<C extends object>(
  prisma: C,
  acting: () => Acting | undefined = currentActing,
): C {
  const options = loaderOptions(prisma)
  if (guardedLoaders.has(options)) return prisma
  guardedLoaders.add(options)
  const batchBy = options.batchBy.bind(options)
  const singleLoader = options.singleLoader.bind(options)
  const batchLoader = options.batchLoader.bind(options)
  const contexts = new WeakMap<PrismaRequest, InContext>()
  const numbers = new WeakMap<Acting, number>()
  let last = 0
  const numberOf = (who: Acting | undefined): number => {
    if (who === undefined) return 0
    const number = numbers.get(who) ?? ++last
    numbers.set(who, number)
    return number
  }
  const inContextOf = <T>(request: PrismaRequest | undefined, work: () => T): T => {
    const run = request === undefined ? undefined : contexts.get(request)
    return run === undefined ? work() : run(work)
  }
  options.batchBy = request => {
    contexts.set(request, AsyncLocalStorage.snapshot())
    const batch = batchBy(request)
    // A transaction is of one actor already, and must stay whole.
    if (batch === undefined || request.transaction?.kind === 'batch') return batch
    return `${batch} ${numberOf(acting())}`
  }
  options.singleLoader = request => inContextOf(request, () => singleLoader(request))
  options.batchLoader = requests => inContextOf(requests[0], () => batchLoader(requests))
  return prisma
}

function loaderOptions(prisma: object): LoaderOptions {
  const options = ['_requestHandler', 'dataloader', 'options'].reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    prisma,
  )
  if (isLoaderOptions(options)) return options
  throw new ConfigError({
    place: 'guardPrisma',
    problem: 'this is not a client of Prisma whose loader is known',
    hint: 'pass `new PrismaClient({ adapter })` of Prisma 7; with another version, use no budgets until it is known',
  })
}

function isLoaderOptions(value: unknown): value is LoaderOptions {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['batchBy', 'singleLoader', 'batchLoader'].every(name => typeof Reflect.get(value, name) === 'function')
  )
}
