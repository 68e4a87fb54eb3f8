import type { Resource } from '../policy/policy-set.ts'
import type { Access } from './access.ts'
import { type AccessRefusal, AccessRefused, publicRefusal } from './access-refusal.ts'
import { actArguments } from './act-arguments.ts'
import type { ActRule } from './act-rule.ts'
import type { Caller } from './guard.ts'

/** What tRPC 11 hands to a middleware, as far as it is used here. */
export interface TrpcCall<Context> {
  readonly ctx: Context
  readonly path: string
  getRawInput(): Promise<unknown>
}

/** The codes of tRPC that refusals become. */
export type TrpcCode = 'UNAUTHORIZED' | 'FORBIDDEN' | 'PRECONDITION_FAILED' | 'TOO_MANY_REQUESTS'

/** How a guarded procedure finds its caller and its arguments. */
export interface TrpcOptions<Context> extends ActRule {
  /** Default: the path of the procedure. */
  readonly action?: string
  readonly caller: (context: Context) => Caller
  readonly resource?: (input: unknown, context: Context) => Resource | Promise<Resource>
  /** Makes the error that tRPC understands: `refusal => new TRPCError(refusal)`. */
  readonly error: (refusal: {
    readonly code: TrpcCode
    readonly message: string
    readonly cause: AccessRefused
  }) => Error
}

const CODES: Readonly<Record<AccessRefusal['status'], TrpcCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  429: 'TOO_MANY_REQUESTS',
}

/**
 * A middleware for tRPC procedures.
 * @throws ConfigError at once for a rule that cannot hold, or that would let everybody pass
 * @example
 * const purge = t.procedure.use(({ next, ...call }) => guarded(call).then(() => next())).mutation(...)
 */
export function trpcGuard<Context>(
  access: Access,
  options: TrpcOptions<Context>,
): (call: TrpcCall<Context>) => Promise<void> {
  const { action, caller: callerOf, resource: resourceOf, error, ...rule } = options
  const compiled = access.compileGuard(rule, `procedure "${action ?? '(by path)'}"`, resourceOf !== undefined)
  return async ({ ctx, path, getRawInput }) => {
    const input = await getRawInput()
    const resource = await resourceOf?.(input, ctx)
    const outcome = await access.check(
      {
        ...callerOf(ctx),
        action: action ?? path,
        arguments: actArguments(input, 'drop'),
        ...(resource !== undefined && { resource }),
      },
      compiled,
    )
    if (outcome.kind === 'permit') return
    const refused = new AccessRefused(outcome.refusal)
    const { why, status } = outcome.refusal
    const code = why === 'approval-pending' ? 'PRECONDITION_FAILED' : CODES[status]
    throw error({ code, message: refused.message, cause: refused })
  }
}

/**
 * What a client may see of an error that a guard made, for tRPC's `errorFormatter`;
 * undefined for every other error.
 */
export function refusalData(cause: unknown): Readonly<Record<string, unknown>> | undefined {
  return cause instanceof AccessRefused ? publicRefusal(cause.refusal) : undefined
}
