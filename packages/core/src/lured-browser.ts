import type { Exchange } from './exchange.ts'
import type { Measure } from './remediation.ts'

/**
 * The measure for a request that alone is enough to be held for. Any page can make its visitors' browsers ask us for `/wp-login.php` or a honey
 * route, and so have them banned here. Browsers say when another site made them ask (Fetch Metadata, `Sec-Fetch-Site`), and no page can
 * change that; such a client is challenged instead. A tool that claims it gets no further than the challenge.
 */
export function measureFor(exchange: Exchange, measure: Measure): Measure {
  return measure === 'block' && exchange.header('sec-fetch-site') === 'cross-site' ? 'challenge' : measure
}
