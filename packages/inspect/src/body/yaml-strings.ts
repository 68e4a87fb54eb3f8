/** Escapes that only YAML and TOML have: a line that goes on behind its indent, spaces, eight digits. */
const ESCAPE = /\\(?:\r?\n[ \t\r\n]*|[ \t_NLP]|U([\da-fA-F]{8}))/g
const MAY_ESCAPE = /\\[\s_NLPU]/
const BINARY = /!{1,2}binary\s{1,64}(?:[|>][+-]?\s{0,64})?["']?([A-Za-z\d+/][A-Za-z\d+/=\s]{4,65536})/g
/** Texts behind the tag that are read. */
const MAX_BINARY = 16

/**
 * What stands in the strings of a document of YAML 1.2 (section 5.7) or TOML that nothing else undoes: a line
 * end that is escaped goes with the indent behind it, `\_` is a space, `\U0000003c` a character, and what is
 * tagged `!!binary` is base64.
 */
export function quotedReadings(text: string): readonly string[] {
  const readings: string[] = []
  if (MAY_ESCAPE.test(text)) {
    const read = text.replace(ESCAPE, (sign: string, digits: string | undefined) => character(sign, digits))
    if (read !== text) readings.push(read)
  }
  if (!text.includes('binary')) return readings
  const coded = [...text.matchAll(BINARY)].slice(0, MAX_BINARY).map(([, found = '']) => found)
  return [...readings, ...coded.map(found => Buffer.from(found, 'base64').toString('utf8'))]
}

function character(sign: string, digits: string | undefined): string {
  if (digits === undefined) return /^\\\r?\n/.test(sign) ? '' : ' '
  const code = Number.parseInt(digits, 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : sign
}
