/** What SvelteKit, Nuxt, Qwik City and React Router add to the path of a page for its data. */
const BEHIND = /\/(?:__data\.json|_payload\.js(?:on)?|q-data\.json|_(?:root)?\.data)$/
/** Where Next's pages router serves them: `/_next/data/BUILD/admin/users.json`, below its `basePath`. */
const NEXT = /^((?:\/[^/]+)*?)\/_next\/data\/[^/]+(\/.*)\.json$/
/** A script that routes for an application: Symfony, Laravel and others answer `/index.php/admin` too. */
const FRONT = /\/(?:index|app)(?:_[a-z]{1,10})?\.(?:php|cgi|fcgi)(?=\/|$)/i
/** How paths of data end; all else is looked at no further. */
const ENDS = ['.json', '.data', '.rsc', '/_payload.js'] as const

/**
 * The page whose data a path is for, by the framework that serves it: whoever may not see `/admin` may not
 * have `/admin/__data.json` or `/_next/data/BUILD/admin.json` either, nor `/index.php/admin`, which is the
 * page itself. Undefined for any other path, also for one that is the page's with a format (`/admin.data`,
 * `/admin.rsc`), which matches without this.
 * @param path canonical
 */
export function pageOfData(path: string): string | undefined {
  const dot = path.indexOf('.')
  if (dot < 0) return undefined
  if (FRONT.test(path)) return path.replace(FRONT, '') || '/'
  if (!ENDS.some(end => path.endsWith(end))) return undefined
  if (BEHIND.test(path)) return path.replace(BEHIND, '') || '/'
  if (path.endsWith('.rsc')) return pageOfComponents(path)
  if (path.endsWith('.html__data.json')) return path.slice(0, -'__data.json'.length)
  if (path.endsWith('/page-data.json')) return pageOfGatsby(path)
  const next = path.includes('/_next/data/') ? NEXT.exec(path) : null
  if (next === null) return undefined
  const [, base = '', page = ''] = next
  return `${base}${page === '/index' ? '' : page}` || '/'
}

/** Next's app router: `/index.rsc`, `/admin.prefetch.rsc`, `/admin.segments/_tree.segment.rsc`. */
function pageOfComponents(path: string): string | undefined {
  const segments = path.indexOf('.segments/')
  const page = segments > 0 ? path.slice(0, segments) : path.replace(/(?:\.prefetch)?\.rsc$/, '')
  return page.replace(/\/index$/, '') || '/'
}

/** `/page-data/admin/page-data.json`, below a prefix of the site. */
function pageOfGatsby(path: string): string | undefined {
  const start = path.indexOf('/page-data/')
  if (start < 0) return undefined
  const page = path.slice(start + '/page-data'.length, -'/page-data.json'.length)
  return `${path.slice(0, start)}${page === '/index' ? '' : page}` || '/'
}
