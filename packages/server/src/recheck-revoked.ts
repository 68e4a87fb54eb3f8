import type { Gateway } from '@postern/gateway'
import type { Resources } from '@postern/runtime'

/**
 * Has a gateway ask at once about the tunnels and streams of whoever was revoked, on this instance or
 * another. Whose session it was only the connection itself knows, so all are asked then.
 */
export function recheckRevoked(
  gateway: Pick<Gateway, 'recheck'>,
  revocations: Resources['revocations'],
): void {
  revocations?.onRevoked(({ kind, value }) =>
    gateway.recheck(({ principal }) => kind === 'session' || principal.id === value),
  )
}
