import type { ConfigPath } from '../file/config-file.ts'

/**
 * A hint for a value that another library takes at the same place, in a form that is not taken here: hops of
 * Express, objects of helmet, functions of express-rate-limit.
 */
export function valueOfOthers(path: ConfigPath, found: unknown): string | undefined {
  const [section, name] = path
  const key = path.at(-1)
  if (section === 'trustProxies' && (found === true || typeof found === 'number'))
    return 'name the proxies, or a platform such as "cloudflare": "all" or a number of hops would trust whoever connects'
  if (section === 'headers') return name === 'contentSecurityPolicy' ? ofPolicy(path, found) : ofHelmet(found)
  if ((key === 'limit' || key === 'throttle') && (typeof found === 'function' || isPlain(found)))
    return 'one rule for everybody; a rule for each plan or key comes from plan, beside it: plan: async key => "1000/1m"'
  return undefined
}

function ofPolicy(path: ConfigPath, found: unknown): string | undefined {
  const directive = path[2]
  if (typeof directive !== 'string') return undefined
  if (directive === 'directives')
    return `directives stand here by their names: contentSecurityPolicy: { "default-src": "'self'" }`
  const meant = directive.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  if (meant !== directive) return `did you mean "${meant}"?`
  return Array.isArray(found) && found.every(source => typeof source === 'string')
    ? `write one text: ${JSON.stringify(found.join(' ')).slice(0, 200)}`
    : undefined
}

/** `{ policy: 'no-referrer' }`, `{ action: 'deny' }`. */
function ofHelmet(found: unknown): string | undefined {
  if (!isPlain(found)) return undefined
  const [value, ...more] = Object.values(found)
  return more.length === 0 && typeof value === 'string'
    ? `write ${JSON.stringify(value).slice(0, 100)}`
    : undefined
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
