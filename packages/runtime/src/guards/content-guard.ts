import type { CompiledConfig, LoadedConfig } from '@postern/config'
import type { Event, Exchange, Guard } from '@postern/core'
import { type InspectionOptions, inspectionGuard } from '@postern/inspect'
import { DoubtfulValues } from '../content/doubtful-values.ts'
import { type ForeignRules, foreignRules } from '../content/foreign-rules.ts'
import { describedTypes, openApiTypes } from '../content/openapi-types.ts'
import type { Resources } from '../resources/resources.ts'

/** What reads a request's content, and how many rules of others it has. */
export interface ContentGuard {
  /** Absent where inspection is switched off. */
  readonly guard: Guard | undefined
  readonly foreign: Pick<ForeignRules, 'loaded' | 'skipped'>
}

/**
 * The inspection that a configuration asks for, with the types of parameters that were learned.
 * @param emit takes an event of a value that passed in doubt; none are made where it is absent
 * @throws ConfigError for rules of others that cannot be read
 */
export function contentGuard(
  { inspect, schema }: CompiledConfig,
  loaded: LoadedConfig,
  { parameterTypes, sinks }: Pick<Resources, 'parameterTypes' | 'sinks'>,
  emit?: (event: Event) => void,
): ContentGuard {
  if (inspect === false) return { guard: undefined, foreign: { loaded: 0, skipped: 0 } }
  const { rules: _, secondOpinion: __, openapi: ___, ...rest } = inspect
  const { options, ...foreign } = foreignRules(inspect, loaded.file.folder)
  const decided = emit === undefined || inspect.sinks === false ? undefined : sinks?.doubts
  const report = decided === undefined ? recordedAtOnce(emit) : decided.keep.bind(decided)
  const described = openApiTypes(inspect, loaded.file.folder)
  const guard = inspectionGuard({
    ...(described !== undefined && { described: describedTypes(described) }),
    ...(schema.inspect && parameterTypes !== undefined && { learned: route => parameterTypes.of(route) }),
    ...rest,
    ...options,
    ...(report !== undefined && { onInspection: report }),
  })
  if (decided === undefined) return { guard, foreign }
  const settle = (exchange: Exchange): void => {
    if (!exchange.isInert) decided.settle(exchange)
  }
  return { guard: { ...guard, settle }, foreign }
}

function recordedAtOnce(emit: ((event: Event) => void) | undefined): InspectionOptions['onInspection'] {
  if (emit === undefined) return undefined
  const doubts = new DoubtfulValues(emit)
  return (exchange, inspection) => doubts.record(exchange, inspection)
}
