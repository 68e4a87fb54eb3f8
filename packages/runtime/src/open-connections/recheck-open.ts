import type { Exchange } from '@postern/core'
import type { RemediationStore } from '@postern/remediate'
import type { Resources } from '../resources/resources.ts'

/** What can be asked about its open connections: a gateway, or the connections of this process. */
export interface Recheckable {
  recheck(concerns: (exchange: Exchange) => boolean): void
}

/** Bans that follow each other within this are one look at what is open, milliseconds. */
const TOGETHER = 100

/**
 * Has open tunnels and streams asked about at once when somebody was revoked or banned, on this instance or
 * another. Whose session it was only the connection itself knows, so all are asked then. A ban in memory says
 * by itself whom it hits; many at once, as of an attack, cost one look together.
 */
export function recheckOpen(
  open: Recheckable,
  {
    revocations,
    remediations,
  }: {
    readonly revocations: Resources['revocations']
    readonly remediations: Pick<RemediationStore, 'listen' | 'find'>
  },
): void {
  revocations?.onRevoked(({ kind, value }) =>
    open.recheck(
      ({ principal: { id, actor } }) =>
        // A key of theirs acts for them: `user:ID`.
        kind === 'session' || id === value || actor?.endsWith(`:${value}`) === true,
    ),
  )
  let isWaiting = false
  remediations.listen(({ kind, remediation }) => {
    if (kind !== 'added' || remediation.measure !== 'block' || isWaiting) return
    isWaiting = true
    setTimeout(() => {
      isWaiting = false
      open.recheck(exchange => remediations.find(exchange)?.measure === 'block')
    }, TOGETHER).unref()
  })
}
