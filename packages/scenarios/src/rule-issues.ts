import { ConfigError, type ConfigIssue } from '@postern/core'

/** Gathers what is wrong with a file, so that all of it is said at once. */
export class RuleIssues {
  readonly #issues: ConfigIssue[] = []

  add(place: string, problem: string, hint?: string): void {
    this.#issues.push({ place, problem, ...(hint !== undefined && { hint }) })
  }

  get isEmpty(): boolean {
    return this.#issues.length === 0
  }

  /** @throws ConfigError with every issue, when there are any */
  throwIfAny(): void {
    if (this.#issues.length > 0) throw new ConfigError(this.#issues)
  }
}

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names every key that is not among the known ones. */
export function refuseUnknown(
  map: Mapping,
  known: readonly string[],
  place: string,
  issues: RuleIssues,
): void {
  for (const key of Object.keys(map)) {
    if (known.includes(key)) continue
    const near = known.find(name => name.startsWith(key.slice(0, 3)) && key.length > 2)
    issues.add(
      `${place}.${key}`,
      'is not understood, and a rule that is half understood would look as if it worked',
      near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`,
    )
  }
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}
