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
  /** What it is about: an object that was loaded, usually the source. */
  readonly resource?: (source: Source, args: Args, context: Context) => Resource | Promise<Resource>
}

/**
 * A resolver that is asked only when the rule lets it: for mutations, and for fields that not everybody may
 * read. The error carries what is missing in its `extensions`.
 * @throws ConfigError at once for a rule that cannot hold
 */
export function graphqlField<Source, Args, Context, Info, Result>(
  access: Access,
  options: FieldOptions<Source, Args, Context>,
  resolve: Resolver<Source, Args, Context, Info, Result>,
): (source: Source, args: Args, context: Context, info: Info) => Promise<Result> {
  const { action, caller: callerOf, resource: resourceOf, ...rule } = options
  const compiled = access.compile(rule, `field "${action}"`)
  return async (source, args, context, info) => {
    const resource = await resourceOf?.(source, args, context)
    const outcome = await access.check(
      {
        ...callerOf(context),
        action,
        arguments: actArguments(args ?? null, 'drop'),
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
