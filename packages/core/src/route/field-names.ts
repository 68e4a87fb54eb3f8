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
  const sent = name.includes('%u')
    ? name.replace(/%u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : name
  const end = sent.indexOf('\0')
  const cut = (end < 0 ? sent : sent.slice(0, end)).trim()
  // Not a set of all: a megabyte of such names is read in the turn of a request.
  const names = [name]
  for (const read of [sent, cut, asPhp(cut), inBrackets(cut), cut.startsWith('!') ? cut.slice(1) : cut])
    if (!names.includes(read)) names.push(read)
  return names
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
  if (!name.includes('[') && !name.includes(']')) return name
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
