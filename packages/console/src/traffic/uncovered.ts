/** A range of numbers of which a page holds every request of one instance. */
export interface Coverage {
  readonly instance: string
  readonly after: number
  readonly covered: number
}

/** Numbers of which no page holds the requests: above `low`, up to `high`. */
export interface Gap {
  readonly instance: string
  readonly low: number
  readonly high: number
}

/**
 * What the pages of an instance leave out: kept before there were pages, or by a process that was killed.
 * @param pages by number; those of one instance do not overlap
 */
export function gapsOf(pages: readonly Coverage[], instances: readonly string[]): readonly Gap[] {
  const reached = new Map(instances.map(instance => [instance, 0]))
  const gaps: Gap[] = []
  for (const { instance, after, covered } of pages) {
    const low = reached.get(instance) ?? 0
    if (after > low) gaps.push({ instance, low, high: after })
    reached.set(instance, Math.max(low, covered))
  }
  for (const [instance, low] of reached) gaps.push({ instance, low, high: Number.MAX_SAFE_INTEGER })
  return gaps
}
