import { type Exchange, parseRequestPath } from '@postern/core'
import type { CompiledException, ExceptionTest } from '../settings/exception.ts'

const ORIGIN = /^https?:\/\/[^/?#]{0,255}/i
const IN_REFERER = /^header\.(?:referer|hx-current-url)\.(?=.)/

/**
 * Exceptions for the query of a page hold for what the page asks for, too: browsers name it, whole, in the
 * `Referer` of every picture and style. One that is not escaped as browsers do it is also read as one text,
 * about which they say nothing.
 */
export function pageExceptions(
  exchange: Exchange,
  exceptions: readonly CompiledException[],
): readonly ExceptionTest[] {
  const page = exceptions.length === 0 ? undefined : exchange.header('referer')
  if (page === undefined || !page.includes('?')) return []
  const { canonical } = parseRequestPath(page.replace(ORIGIN, ''))
  return exceptions
    .filter(({ route }) => route === undefined || route('GET', canonical))
    .map(({ test }) => (rule, location) => {
      const inQuery = location.replace(IN_REFERER, 'query.')
      return inQuery !== location && test(rule, inQuery)
    })
}
