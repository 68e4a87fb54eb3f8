/** What SvelteKit and Nuxt add to the path of a page for the data that it is rendered from. */
const BEHIND = /\/(?:__data|_payload)\.json$/
/** Where Next's pages router serves them: `/_next/data/BUILD/admin/users.json`, below its `basePath`. */
const NEXT = /^((?:\/[^/]+)*?)\/_next\/data\/[^/]+(\/.*)\.json$/

/**
 * The page whose data a path is for, by the framework that serves it: whoever may not see `/admin` may not
 * have `/admin/__data.json` or `/_next/data/BUILD/admin.json` either. Undefined for any other path.
 * @param path canonical
 */
export function pageOfData(path: string): string | undefined {
  if (!path.endsWith('.json')) return undefined
  if (BEHIND.test(path)) return path.replace(BEHIND, '') || '/'
  const next = path.includes('/_next/data/') ? NEXT.exec(path) : null
  if (next === null) return undefined
  const [, base = '', page = ''] = next
  return `${base}${page === '/index' ? '' : page}` || '/'
}
