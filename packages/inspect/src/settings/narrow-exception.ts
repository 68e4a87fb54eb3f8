/** The narrowest setting that would let a match pass, ready to paste. */
export function exceptionFor(rule: string, location: string, route: string): string {
  return `inspect: { except: [{ rule: ${quoted(rule)}, parameter: ${quoted(location)}, route: ${quoted(route)} }] }`
}

/** What ends the doubt about a long text: its parameter's type. */
export function typeSettingFor(location: string, route: string): string {
  return `routes: { ${quoted(route)}: { inspect: { parameters: { ${quoted(location)}: 'text' } } } }`
}

const UNQUOTED = /[\\'\u0000-\u001f\u007f\u2028\u2029]/g

/** As a string of JavaScript: names of fields hold brackets, quotes and line ends. */
function quoted(text: string): string {
  return `'${text.replace(UNQUOTED, escaped)}'`
}

function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
