import { type Duration, parseDuration, type Remediations } from '@postern/core'

/**
 * The standing measures, with those of the scenario `honey-touched` lasting as long as `honey.for` says: the guard and the scenario see the
 * same hit, and the longer of two measures holds.
 */
export function honeyRemediations(remediations: Remediations, duration: Duration | undefined): Remediations {
  if (duration === undefined) return remediations
  const milliseconds = parseDuration(duration, 'honey.for')
  return {
    find: exchange => remediations.find(exchange),
    apply: finding =>
      remediations.apply(
        finding.scenario === 'honey-touched' && finding.respond !== undefined
          ? { ...finding, respond: { ...finding.respond, duration: milliseconds } }
          : finding,
      ),
  }
}
