import type { Remediations } from '@postern/core'

/**
 * The remediations, with those of the scenario `honey-touched` lasting as long as `honey.for` says: the
 * guard and the scenario see the same hit, and the longer of two measures holds.
 */
/** @param duration milliseconds */
export function honeyRemediations(remediations: Remediations, duration: number): Remediations {
  return {
    find: exchange => remediations.find(exchange),
    apply: finding =>
      remediations.apply(
        finding.scenario === 'honey-touched' && finding.respond !== undefined
          ? { ...finding, respond: { ...finding.respond, duration } }
          : finding,
      ),
  }
}
