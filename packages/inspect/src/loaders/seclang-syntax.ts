/** One `SecRule` taken apart. */
export interface SecRule {
  /** Line it starts on, from 1. */
  readonly line: number
  readonly variables: string
  /** Without `@`; `rx` when none is written. A leading `!` is kept. */
  readonly operator: string
  readonly argument: string
  /** Values by action name, in order. */
  readonly actions: ReadonlyMap<string, readonly string[]>
}

/** What a file holds. */
export interface SecLangFile {
  readonly rules: readonly SecRule[]
  /** Lines that are neither a directive nor a comment, and those that name other files; from 1. */
  readonly unread: readonly { readonly line: number; readonly text: string }[]
}

/**
 * The `SecRule` directives of a file; comments and other directives are left out. Lines that end in `\` go
 * on. Linear.
 */
export function parseSecLang(text: string): SecLangFile {
  const rules: SecRule[] = []
  const unread: { line: number; text: string }[] = []
  const lines = text.split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const first = i
    let line = (lines[i] as string).trim()
    while (line.endsWith('\\') && i + 1 < lines.length)
      line = `${line.slice(0, -1).trimEnd()} ${(lines[++i] as string).trim()}`
    if (line !== '' && !line.startsWith('#') && !/^Sec[A-Z]\w{1,60}(?:\s|$)/.test(line))
      unread.push({ line: first + 1, text: line })
    if (!/^SecRule\s/.test(line)) continue
    const words = wordsOf(line.slice(8))
    const [variables = '', condition = '', actions = ''] = words
    const operator = /^(!?)@(\w+)\s*(.*)$/s.exec(condition)
    rules.push({
      line: first + 1,
      variables,
      operator: operator === null ? 'rx' : `${operator[1] ?? ''}${operator[2] ?? ''}`,
      argument: operator === null ? condition : (operator[3] ?? ''),
      actions: actionsOf(actions),
    })
  }
  return { rules, unread }
}

/** Words separated by white space; double quotes hold one together, `\"` stands for a quote. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  let at = 0
  while (at < text.length) {
    while (text.charCodeAt(at) <= 32) at++
    if (at >= text.length) break
    const quoted = text[at] === '"'
    const start = quoted ? at + 1 : at
    at = start
    while (at < text.length && (quoted ? text[at] !== '"' : text.charCodeAt(at) > 32))
      at += text[at] === '\\' ? 2 : 1
    words.push(text.slice(start, at).replaceAll('\\"', '"'))
    at++
  }
  return words
}

function actionsOf(text: string): Map<string, string[]> {
  const actions = new Map<string, string[]>()
  for (const action of text.match(/(?:'(?:[^'\\]|\\.)*'|[^,'])+/g) ?? []) {
    const colon = action.indexOf(':')
    const name = (colon < 0 ? action : action.slice(0, colon)).trim()
    const value =
      colon < 0
        ? ''
        : action
            .slice(colon + 1)
            .trim()
            .replace(/^'|'$/g, '')
    if (name === '') continue
    const values = actions.get(name) ?? []
    values.push(value)
    actions.set(name, values)
  }
  return actions
}
