/** What a scanner finds by asking for a file that nobody links to. */
const PROBES: ReadonlySet<string> = new Set(['probe/path', 'probe/file', 'probe/file-kind'])

/**
 * A file of a repository, as forges (Gitea, GitLab, GitHub) address it below its owner, name and version, as
 * cgit and Subversion do, and a file of a person's own folder over WebDAV (RFC 4918) or in Jupyter.
 */
const KEPT =
  /^\/?(?:(?:[^/]{1,100}\/){2,8}(?:contents\/|(?:-\/)?(?:blob|raw|blame|edit|commits|tree|media|src)\/[^/]{1,100}\/)|(?:[^/]{1,100}\/){2,8}repository\/files\/|(?:remote\.php\/)?(?:web)?dav\/[^/]{1,100}\/|(?:[^/]{1,100}\/){0,8}(?:api\/contents|lab\/tree)\/|(?:user\/[^/]{1,100}\/)?edit\/|(?:[^/]{1,100}\/){0,8}[^/]{1,100}\.git\/(?:tree|plain|blame|log|diff)\/|(?:[^/]{1,100}\/){1,8}(?:trunk|(?:branches|tags)\/[^/]{1,100})\/)/
/** Where Jupyter lists what it kept of a file. */
const CHECKPOINTS = /(?<=(?:^|\/)api\/contents\/[^?]{1,400})\/checkpoints$/
const LISTED = /\/checkpoints$/
/** Settings that a web server would take over from a folder. */
const TAKEN_OVER = /\/(?:\.htaccess|\.htpasswd|\.user\.ini|web\.config)$/
/** Changes of a schema, which pages that keep a database in the browser load; they hold no data. */
const MIGRATION = /(?:^|\/)(?:migrations?|drizzle)\/(?:\w[\w-]{0,60}\/)?\w[\w-]{0,80}\.sql$/
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PROPFIND'])

/**
 * Whether a file with a telling name is one that people keep there: `GET /ann/app/raw/main/.travis.yml`. Only
 * the name of the file itself: `.git/config` is in no repository.
 */
export function isKeptFile(id: string, method: string, asked: string, span: string): boolean {
  if (!PROBES.has(id)) return false
  const path = asked.replace(CHECKPOINTS, '')
  const found = path === asked ? span : span.replace(LISTED, '')
  if (MIGRATION.test(path)) return id === 'probe/file' && READING.has(method)
  if (!KEPT.test(path)) return false
  if (!path.endsWith(found) || found.lastIndexOf('/') > 0) return false
  return READING.has(method) || !TAKEN_OVER.test(found)
}
