import type { CompiledConfig } from '@postern/config'
import { formatDuration } from '@postern/core'
import type { Rule } from '@postern/throttle'

/** One limit of a configuration, for people. */
export interface ListedLimit {
  readonly name: string
  /** `1200 in 1m`, `20 at once`. */
  readonly rule: string
  /** What it is held against: `address`, `header x-shop`, ... */
  readonly key: string
  /** Routes that it counts; undefined for all. */
  readonly routes: readonly string[] | undefined
  /** Whether static files count: also, not at all, or nothing else. */
  readonly staticFiles: 'count' | 'free' | 'only'
}

/** Every limit in force, named ones first. */
export function listLimits({ limits, routes }: CompiledConfig): readonly ListedLimit[] {
  const named = limits.map(({ name, limit, keyName, routes: counted, staticFiles }) => ({
    name,
    rule: ruleText(limit),
    key: keyName,
    routes: counted,
    staticFiles,
  }))
  const routed = [...routes.limits].map(([pattern, { limit, keyName, staticFiles }]) => ({
    name: `route ${pattern}`,
    rule: ruleText(limit),
    key: keyName,
    routes: [pattern],
    staticFiles,
  }))
  return [...named, ...routed]
}

function ruleText({ kind, limit, window }: Rule): string {
  if (kind === 'concurrency') return `${limit} at once`
  return kind === 'gcra'
    ? `burst ${limit}, full again in ${formatDuration(window)}`
    : `${limit} in ${formatDuration(window)}`
}
