import type { Principal } from '@postern/core'
import { credentialOf, identifiedBy } from './credential.ts'
import { type Identification, type IdentifyMethod, known } from './identify-method.ts'

/**
 * Puts a text before every id that a method gives. An id is one person for one issuer only (RFC 7519 section
 * 4.1.2): of two issuers, one can name its people as the other's.
 */
export function prefixed(method: IdentifyMethod, prefix: string): IdentifyMethod {
  const rename = (said: Identification): Identification =>
    said.kind === 'known' ? known(withPrefix(said.principal, prefix)) : said
  return {
    ...method,
    identify: exchange => {
      const said = method.identify(exchange)
      return said instanceof Promise ? said.then(rename) : rename(said)
    },
  }
}

function withPrefix(principal: Principal, prefix: string): Principal {
  const renamed = { ...principal, id: prefix + principal.id }
  const credential = credentialOf(principal)
  return credential === undefined ? renamed : identifiedBy(renamed, credential)
}
