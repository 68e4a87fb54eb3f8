import { isBehindScript } from './behind-script.ts'
import type { Reading } from './reading.ts'
import { isDocument, type ValueSetting } from './value-setting.ts'

/** Fields of a form, and the addresses at which an editor sends them. */
interface Editor {
  readonly fields: ReadonlySet<string>
  readonly address: RegExp
}

function editor(fields: string, address: RegExp): Editor {
  return { fields: new Set(fields.split(' ')), address }
}

/** Sources of pages (MediaWiki, Fossil), and what a package says of itself (PyPI, Gitea), with any markup. */
const SOURCES: readonly Editor[] = [
  editor('description', /^POST \/(?:legacy|(?:[\w*.-]{1,64}\/){0,5}pypi)\/?$/i),
  editor('text', /^POST \/(?:(?:w|wiki|mediawiki)\/)?api\.php$/i),
  editor('content', /^POST \/(?:[\w.-]{1,64}\/){0,4}wikiajax\/(?:preview|save)$/i),
]

/**
 * Where other applications take what their users write in an editor: they keep commands and queries as they
 * are, and do not show markup that runs something.
 */
const EDITORS: readonly Editor[] = [
  // Pages: XWiki, Redmine, BookStack.
  editor('content', /^POST \/(?:xwiki\/)?bin\/(?:save|preview|saveandcontinue)\/[^\s]{1,400}$/i),
  editor(
    'content[text]',
    /^(?:POST|PUT|PATCH) \/(?:[\w.-]{1,64}\/){0,2}projects\/[\w.-]{1,100}\/wiki(?:\/|$)/i,
  ),
  editor(
    'html markdown',
    /^(?:POST|PUT) \/(?:[\w.-]{1,64}\/){0,2}books\/[^/\s]{1,200}\/(?:page|draft)\/[^/\s]{1,200}$/i,
  ),
  // Articles: WordPress in its classic editor, Drupal, Joomla, whatever Django administers.
  editor('content excerpt', /^POST \/(?:[\w.-]{1,64}\/){0,2}wp-admin\/post\.php$/i),
  editor(
    'body[0][value] body[0][summary]',
    /^POST \/(?:[\w.-]{1,64}\/){0,2}node\/(?:\d{1,12}\/edit|add\/\w{1,64})$/i,
  ),
  editor('jform[articletext]', /^POST \/(?:[\w.-]{1,64}\/){0,2}(?:administrator\/)?index\.php$/i),
  editor(
    'body content text description notes',
    /^POST \/admin\/\w{1,64}\/\w{1,64}\/(?:add|[\w-]{1,64}\/change)\/?$/i,
  ),
  // Files, pages, issues and what is said of them: Gitea, Forgejo, Gogs.
  editor(
    'content',
    /^POST \/(?:[\w.-]{1,64}\/){2,4}(?:_(?:edit|new|preview)(?:\/|$)|wiki(?:\/|$)|(?:issues|pulls)\/(?:new|\d{1,9}\/(?:comments|content))$|releases\/(?:new|edit\/))/i,
  ),
  editor('text', /^POST \/(?:[\w.-]{1,64}\/){0,4}markup$/i),
  // Tickets: Redmine, Mantis, Bugzilla, OTRS and Znuny.
  editor(
    'issue[description] issue[notes] journal[notes] notes',
    /^(?:POST|PUT|PATCH) \/(?:[\w.-]{1,64}\/){0,2}(?:projects\/[\w.-]{1,100}\/issues|issues\/\d{1,9}|journals\/\d{1,9})$/i,
  ),
  editor(
    'description steps_to_reproduce additional_info bugnote_text',
    /^POST \/(?:[\w.-]{1,64}\/){0,2}bug(?:_report|_update|note_add|note_update)\.php$/i,
  ),
  editor('comment', /^POST \/(?:[\w.-]{1,64}\/){0,2}(?:process|post)_bug\.cgi$/i),
  editor('body', /^POST \/(?:otrs|znuny)\/(?:index|customer)\.pl$/i),
  // Posts of forums: Discourse and its drafts, phpBB, Moodle.
  editor('raw', /^POST \/(?:[\w.-]{1,64}\/)?posts(?:\.json)?$/i),
  editor('post[raw]', /^PUT \/(?:[\w.-]{1,64}\/)?posts\/\d{1,12}(?:\.json)?$/i),
  editor('reply', /^POST \/(?:[\w.-]{1,64}\/)?drafts(?:\.json)?$/i),
  editor('message', /^POST \/(?:[\w.-]{1,64}\/){0,2}posting\.php$/i),
  editor('message[text]', /^POST \/(?:[\w.-]{1,64}\/){0,2}mod\/forum\/post\.php$/i),
]

/**
 * The setting of a field of a form, which may hold the source of a page, or a line of it.
 * @param family of the rule that found something in it
 */
export function pageSetting(
  named: ValueSetting,
  family: string,
  route: string,
  reading: Reading,
): ValueSetting {
  const { place, name, text, isPiece } = reading
  if (place !== 'form' || isBehindScript(route)) return named
  if (!isOneOf(SOURCES, name, route) && (family === 'xss' || !isOneOf(EDITORS, name, route))) return named
  return isPiece || isDocument(text) ? 'document' : named
}

function isOneOf(editors: readonly Editor[], name: string, route: string): boolean {
  return editors.some(({ fields, address }) => fields.has(name) && address.test(route))
}
