import type { Json } from '@postern/core'
import type { Resource } from '../policy/policy-set.ts'
import type { Access } from './access.ts'
import { AccessRefused } from './access-refusal.ts'
import { actArguments } from './act-arguments.ts'
import type { ActRule } from './act-rule.ts'
import type { Caller } from './guard.ts'

/** A resolver, as graphql-js calls it. */
export type Resolver<Source, Args, Context, Info, Result> = (
  source: Source,
  args: Args,
  context: Context,
  info: Info,
) => Result | Promise<Result>

/** How a guarded resolver finds its caller and its resource. */
export interface FieldOptions<Source, Args, Context> extends ActRule {
  readonly action: string
  readonly caller: (context: Context) => Caller
  /**
   * What it is about: an object that was loaded, usually the source. Without it a consent or proof for a
   * field of an object is bound to the `id` of that object, else to all of it.
   */
  readonly resource?: (source: Source, args: Args, context: Context) => Resource | Promise<Resource>
}

/**
 * A resolver that is asked only when the rule lets it: for mutations, and for fields that not everybody may
 * read. The error carries what is missing in its `extensions`.
 * @throws ConfigError at once for a rule that cannot hold, or that would let everybody pass
 */
export function graphqlField<Source, Args, Context, Info, Result>(
  access: Access,
  options: FieldOptions<Source, Args, Context>,
  resolve: Resolver<Source, Args, Context, Info, Result>,
): (source: Source, args: Args, context: Context, info: Info) => Promise<Result> {
  const { action, caller: callerOf, resource: resourceOf, ...rule } = options
  const compiled = access.compileGuard(rule, `field "${action}"`, resourceOf !== undefined)
  const isBound = resourceOf === undefined && (compiled.approve !== undefined || compiled.isActBound)
  return async (source, args, context, info) => {
    const resource = await resourceOf?.(source, args, context)
    const outcome = await access.check(
      {
        ...callerOf(context),
        action,
        arguments: isBound ? boundTo(source, args, info) : actArguments(args ?? null, 'drop'),
        ...(resource !== undefined && { resource }),
      },
      compiled,
    )
    if (outcome.kind === 'refusal') throw new AccessRefused(outcome.refusal)
    try {
      const result = await resolve(source, args, context, info)
      access.ended(outcome.permit, 'done')
      return result
    } catch (error) {
      access.ended(outcome.permit, 'failed')
      throw error
    }
  }
}

/**
 * What a consent or proof for a field is bound to: its arguments and, below the root, the object that it is a
 * field of, or the same field of another object would be the same act.
 * @throws TypeError when that object could be taken for another
 */
function boundTo(source: unknown, args: unknown, info: unknown): Json {
  const given = actArguments(args ?? null, 'drop')
  if (isOfRoot(info)) return given
  const id = typeof source === 'object' && source !== null && 'id' in source ? source.id : undefined
  if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint')
    return { arguments: given, of: String(id) }
  try {
    return { arguments: given, of: actArguments(source) }
  } catch (cause) {
    throw new TypeError('the object of a guarded field has no id and is not JSON; name it with `resource`', {
      cause,
    })
  }
}

/** Whether graphql-js says that a field is of the query or mutation itself. */
function isOfRoot(info: unknown): boolean {
  if (typeof info !== 'object' || info === null || !('path' in info)) return false
  const { path } = info
  return typeof path === 'object' && path !== null && 'prev' in path && path.prev === undefined
}
