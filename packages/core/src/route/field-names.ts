/** Names that every parser reads as they are sent: no space, and brackets that are closed and hold none. */
const PLAIN = /^[^\s.![\]\0]+(?:\[[^\s[\]\0]*\])*$/

/**
 * The names under which frameworks find a field of a form or a query, first the one that was sent. PHP ends a
 * name at a zero byte, passes over spaces in front, reads a space, a dot or an open bracket as an underscore,
 * and drops what stands between brackets; Rack and qs pass over stray brackets; Spring gives the value of
 * `!name` to a `name` that is missing; the older ASP.NET reads `%u0065`.
 */
export function fieldNames(name: string): readonly string[] {
  if (PLAIN.test(name) && !name.includes('%u')) return [name]
  const sent = name.replace(/%u([\da-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  const cut = (sent.split('\0', 1)[0] ?? '').trim()
  return [...new Set([name, sent, cut, asPhp(cut), inBrackets(cut), cut.replace(/^!/, '')])]
}

/** As PHP registers it: `a.b[c]d[e]` is `a_b[c]`. */
function asPhp(name: string): string {
  const open = name.indexOf('[')
  if (open < 1 || !name.includes(']', open)) return name.replace(/[ .[]/g, '_')
  const groups = /^(?:\[[^\]]*\])+/.exec(name.slice(open))?.[0] ?? ''
  return name.slice(0, open).replace(/[ .]/g, '_') + groups
}

/** The path in a name, whatever its brackets are: `[a]`, `a[[b]]` and `a[b` as `a`, `a[b]` and `a[b]`. */
function inBrackets(name: string): string {
  const [first = '', ...inner] = name.split(/[[\]]+/).filter(part => part !== '')
  return first + inner.map(part => `[${part}]`).join('')
}

/**
 * The pairs of a form or a query. A semicolon separates them too for some (Rack before 3, older Python): what
 * stands behind one is a pair of its own besides.
 */
export function formPairs(text: string): readonly (readonly [name: string, value: string])[] {
  const pairs = [...new URLSearchParams(text)]
  if (!text.includes(';')) return pairs
  const behind = text.split('&').flatMap(pair => pair.split(';').slice(1))
  return [...pairs, ...new URLSearchParams(behind.filter(pair => pair.includes('=')).join('&'))]
}
