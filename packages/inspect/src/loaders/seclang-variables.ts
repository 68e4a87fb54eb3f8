import type { Place, Reading } from '../value/reading.ts'

const VARIABLES: Readonly<Record<string, readonly Place[]>> = {
  ARGS: ['query', 'body'],
  ARGS_GET: ['query'],
  ARGS_POST: ['body'],
  ARGS_NAMES: ['name'],
  ARGS_GET_NAMES: ['name'],
  ARGS_POST_NAMES: ['name'],
  REQUEST_COOKIES: ['cookie'],
  REQUEST_COOKIES_NAMES: ['name'],
  REQUEST_HEADERS: ['header', 'file-name'],
  REQUEST_FILENAME: ['path'],
  REQUEST_BASENAME: ['path'],
  REQUEST_URI: ['path', 'query'],
  REQUEST_URI_RAW: ['path', 'query'],
  REQUEST_BODY: ['body'],
  FILES: ['file-name'],
  FILES_NAMES: ['name'],
  XML: ['body'],
  QUERY_STRING: ['query'],
}

/**
 * Whether a reading is one of the variables of a rule (`ARGS|!REQUEST_COOKIES:/__utm/|XML:/*`), or why that
 * is unknown.
 */
export function placesOf(variables: string): ((reading: Reading) => boolean) | string {
  const wanted: ((reading: Reading) => boolean)[] = []
  const unwanted: ((reading: Reading) => boolean)[] = []
  for (const variable of variables.split('|')) {
    if (variable.startsWith('&')) return `counting ${variable.slice(0, 40)}`
    const negated = variable.startsWith('!')
    const colon = variable.indexOf(':')
    const name = variable.slice(negated ? 1 : 0, colon < 0 ? undefined : colon)
    const places = VARIABLES[name]
    if (places === undefined) return `variable ${name.slice(0, 40)}`
    const selector = colon < 0 || name === 'XML' ? undefined : variable.slice(colon + 1).toLowerCase()
    const named = selectorTest(selector)
    if (named === undefined) return `selector ${variable.slice(0, 60)}`
    const test = (reading: Reading): boolean => places.includes(reading.place) && named(reading.name)
    if (negated) unwanted.push(test)
    else wanted.push(test)
  }
  return reading => wanted.some(test => test(reading)) && !unwanted.some(test => test(reading))
}

function selectorTest(selector: string | undefined): ((name: string) => boolean) | undefined {
  if (selector === undefined) return () => true
  if (!selector.startsWith('/')) return name => name === selector
  try {
    const expression = new RegExp(selector.slice(1, -1))
    return name => expression.test(name.slice(0, 128))
  } catch {
    return undefined
  }
}
