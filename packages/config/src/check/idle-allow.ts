import type { ConfigIssue } from '@postern/core'
import type { ConfigPath } from '../file/config-file.ts'
import type { CompiledConfig } from '../table/table.ts'

/** A list of clients that changes nothing: nobody is blocked whom they could let in. */
export function idleAllow(
  { allow, block, routes }: CompiledConfig,
  place: (path: ConfigPath) => string,
): readonly ConfigIssue[] {
  if (allow.isEmpty || !block.isEmpty || routes.haveClients) return []
  return [
    {
      place: place(['allow']),
      problem: 'has no effect: nobody is blocked',
      hint: 'add block: [all] to let in only these, or use remediations.never and exempt of a limit',
    },
  ]
}
