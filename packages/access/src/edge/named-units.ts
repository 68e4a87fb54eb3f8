import { type Exchange, fieldNames, formPairs, multipartTexts, readTextBody } from '@postern/core'
import { countIds, idsIn } from './count-ids.ts'

/** `id`, `ids`, `order_id`, `orderIds`; also in brackets or behind dots: `filter[id][]`, `items[0].id`. */
const ID_NAME = /(?:^|[_-])ids?$|Ids?$/

/** Whether a parameter names things by their ids. */
function isIdName(name: string): boolean {
  const word = name.split(/[[\].]+/).findLast(part => part !== '' && !/^\d+$/.test(part))
  return word !== undefined && ID_NAME.test(word)
}

function idsOf(pairs: Iterable<readonly [string, string]>): number {
  let count = 0
  for (const [name, value] of pairs) if (fieldNames(name).some(isIdName)) count += Math.max(1, idsIn(value))
  return count
}

/** `?id=1&id=2`, `?ids=1,2`; at least 1. */
export function idsInQuery(exchange: Exchange): number {
  const mark = exchange.source.target.indexOf('?')
  if (mark < 0) return 1
  return Math.max(1, idsOf(formPairs(exchange.source.target.slice(mark + 1))))
}

/**
 * How many things a request names, in its query or its body; at least 1. Of a multipart body that is too long
 * to be read whole, the part that was read counts: a large upload is not a mass change, and its fields
 * usually come before its files.
 * @returns undefined when such a body cannot be read, so that nobody knows
 */
export async function namedUnits(exchange: Exchange): Promise<number | undefined> {
  const inQuery = idsInQuery(exchange)
  const body = await readTextBody(exchange)
  switch (body.kind) {
    case 'json':
      return Math.max(countIds(body.value), inQuery)
    case 'form':
      return Math.max(inQuery, idsOf(formPairs(body.text)))
    case 'multipart': {
      const fields = multipartTexts(body.text)
      return fields === undefined ? undefined : Math.max(inQuery, idsOf(fields))
    }
    case 'unreadable':
      return undefined
    default:
      return inQuery
  }
}
