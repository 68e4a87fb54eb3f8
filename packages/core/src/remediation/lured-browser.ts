import type { Exchange } from '../exchange/exchange.ts'
import type { Measure } from './remediation.ts'

/**
 * The remediation for a request that is sufficient on its own to set one. Any page can make its visitors'
 * browsers request `/wp-login.php` or a honey route from us, and so get them banned here. Browsers state when
 * another site caused a request (Fetch Metadata, `Sec-Fetch-Site`), and no page can change that; such a
 * client is challenged instead. A tool that forges the header faces the challenge as well.
 */
export function measureFor(exchange: Exchange, measure: Measure): Measure {
  return measure === 'block' && exchange.header('sec-fetch-site') === 'cross-site' ? 'challenge' : measure
}

/**
 * Whether a request shows that its client solved a challenge a short while ago. Only a hint: the guard that
 * challenges checks what it shows.
 */
export function showsClearance(exchange: Exchange): boolean {
  return (
    exchange.header('x-postern-clearance') !== undefined ||
    exchange.header('cookie')?.includes('postern_clearance=') === true
  )
}
