/** What a scanner finds by asking for a file that nobody links to. */
const PROBES: ReadonlySet<string> = new Set(['probe/path', 'probe/file', 'probe/file-kind'])

/**
 * A file of a repository, as forges (Gitea, GitLab, GitHub, Bitbucket) address it below its owner, name and
 * version, as cgit and Subversion do, and a file of a person's own folder over WebDAV (RFC 4918) or in
 * Jupyter.
 */
const KEPT =
  /^\/?(?:(?:[^/]{1,100}\/){2,8}(?:contents\/|(?:-\/)?(?:blob|raw|blame|edit|commits|tree|media|src|update|_edit|_delete|lastcommit)\/[^/]{1,100}\/|-\/refs\/[^/]{1,100}\/logs_tree\/)|(?:rest\/api\/(?:1\.0|latest)\/)?projects\/[^/]{1,100}\/repos\/[^/]{1,100}\/(?:browse|raw)\/|api\/v1\/repos\/[^/]{1,100}\/[^/]{1,100}\/(?:raw|media)\/|(?:[^/]{1,100}\/){2,8}repository\/files\/|(?:remote\.php\/)?(?:web)?dav\/[^/]{1,100}\/|(?:[^/]{1,100}\/){0,8}(?:api\/contents|lab\/tree)\/|(?:user\/[^/]{1,100}\/)?edit\/|(?:[^/]{1,100}\/){0,8}[^/]{1,100}\.git\/(?:tree|plain|blame|log|diff)\/|(?:[^/]{1,100}\/){1,8}(?:trunk|(?:branches|tags)\/[^/]{1,100})\/)/
/** Where Jupyter lists what it kept of a file. */
const CHECKPOINTS = /(?<=(?:^|\/)api\/contents\/[^?]{1,400})\/checkpoints$/
const LISTED = /\/checkpoints$/
/** Settings that a web server would take over from a folder. */
const TAKEN_OVER = /\/(?:\.htaccess|\.htpasswd|\.user\.ini|web\.config)$/
/** Changes of a schema, which pages that keep a database in the browser load; they hold no data. */
const MIGRATION = /(?:^|\/)(?:migrations?|drizzle)\/(?:\w[\w-]{0,60}\/)?\w[\w-]{0,80}\.sql$/
/** A file below a folder that is a secret of its own, or that no repository has (`.git/config`). */
const IN_SECRET_FOLDER = /\/\.[^/]{1,100}\//
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PROPFIND'])

/**
 * Whether a file with a telling name is one that people keep there: `GET /ann/app/raw/main/.travis.yml`. Not
 * below a hidden folder: `.git/config` is in no repository.
 */
export function isKeptFile(id: string, method: string, asked: string, span: string): boolean {
  if (!PROBES.has(id)) return false
  const path = asked.replace(CHECKPOINTS, '')
  const found = path === asked ? span : span.replace(LISTED, '')
  if (MIGRATION.test(path)) return id === 'probe/file' && READING.has(method)
  if (!KEPT.test(path)) return false
  if (!path.endsWith(found) || IN_SECRET_FOLDER.test(found)) return false
  return READING.has(method) || !TAKEN_OVER.test(found)
}

/** Where Gitea and GitLab take a file of a repository that somebody wrote in the browser. */
const WRITTEN_THERE = /^(?:POST|PUT) (?:\/[^/\s]{1,100}){2,8}\/(?:_(?:edit|new)|-\/(?:create|update))\//i
/** What the file is called there. */
const ITS_NAME: ReadonlySet<string> = new Set(['tree_path', 'file_path', 'file_name'])

/** Whether a field names a file of a repository that is being written, hidden or not (`.env.example`). */
export function isWrittenFile(id: string, route: string, name: string): boolean {
  return id === 'traversal/dot-file' && ITS_NAME.has(name) && WRITTEN_THERE.test(route)
}
