import type { Hit } from '../matching/rule-set.ts'
import { isBody, type Reading } from '../value/reading.ts'
import { isOperandParameter } from '../value/value-setting.ts'

const LONGEST = 400
/** Names under which a file is opened, or something is run, whatever stands around its path. */
const OPENED =
  /file|path|dir|folder|page|doc|include|template|url|uri|src|load|read|root|conf|log|view|cmd|exec|command|run|shell|arg|option|module|action|target|host|code|expr|script|sql|statement|eval|formula|xpath/
/** Files that hold secrets, or that intruders ask for first: they count in a sentence too. */
const SOUGHT =
  /passwd|shadow|sudoers|group|hosts|issue|ssh|_rsa|\.env|environ|cmdline|\.git|\.aws|\.kube|htpasswd|htaccess|secret|token|credential|\bkeys?\b|\.pem|wp-config|config\.php|web\.config|\.ini|history|\.\.|\/(?:root|home|srv|mnt)\/|backup|\.sql|\.bak|config\b|\/fd\/|\.sock|access[._]log|error[._]log/
/** What makes a command of a text, ends the name of a file, or gives one to a switch. */
const ACTS = /[;|&<>`$\u0000\n\r\\{}]|%[\da-f]{2}|\$\(|\s--?[a-z]/
/** A command as the whole of a value, or a statement that reads a file into a table. */
const COMMANDED =
  /^\s{0,4}(?:cat|tac|nl|head|tail|strings|xxd|od|base64|cp|mv|dd|vim?|nano|grep|awk|sed|tee|ln|tar|curl|wget|scp|rsync|sh|bash|source|perl|python|php|ruby|copy|attach|load\s{1,4}data)\s/
/** Two words before it, the last of which may open a quotation. */
const TOLD_BEFORE = /\p{L}{2,}[,:]?\s{1,3}(?:[\p{L}\d'’(),:.-]{1,40}\s{1,3}){1,40}["'“„«(]?$/u

/**
 * Whether a sentence of one line mentions a file of the server: a path opens a file as the whole of a value,
 * and this one has words before it.
 */
export function isToldFile(id: string, { start, end }: Hit['span'], reading: Reading): boolean {
  const { place, name, text, lower } = reading
  if (id !== 'traversal/sensitive-file' || text.length > LONGEST) return false
  if ((place !== 'query' && !isBody(place)) || isOperandParameter(name) || OPENED.test(name)) return false
  if (ACTS.test(lower) || SOUGHT.test(lower) || COMMANDED.test(lower)) return false
  const found = lower.slice(start, end)
  const path = /[/a-z]/.exec(found)
  return path !== null && !found.includes('://') && TOLD_BEFORE.test(text.slice(0, start + path.index))
}
