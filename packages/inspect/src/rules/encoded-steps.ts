/**
 * A dot as servers of old undid it, and what stood for a slash; each step is two dots and one to six units.
 */
const ODD_DOT =
  '%c0%[24a]e|%e0%80%ae|%u002e|%uff0e|%252e|0x2e|%%32%65|[\\u00e0\\u00e1]\\.|\\u00e0\\^|\\u00e0@\\u00ae|\\u0000\\.'
const DOT = `(?:\\.|%2e|${ODD_DOT})`
/**
 * Characters that one server or another makes a slash of: those that look like it, what is left of bytes that
 * are not UTF-8, those without a meaning, and those whose last byte is that of a slash. No other letters:
 * people put dots between those, too.
 */
const LIKE_SLASH = [
  '\\u0000-\\u001f\\u0080-\\u00bf\\u20a9\\u20ac\\u2044\\u2215\\u2216\\u29f5\\u29f8\\u29f9\\ue000-\\uf8ff\\ufe68\\uff0f\\uff3c\\ufffd',
  ...Array.from({ length: 255 }, (_, high) => {
    const byte = (high + 1).toString(16).padStart(2, '0')
    return `\\u${byte}2f\\u${byte}5c`
  }),
].join('')
/** The first byte of a slash that was written longer than UTF-8 allows, as a letter. */
const LEAD = `[\\u00e0\\u00e1\\u00f0\\u00f8\\u00fc](?=[/\\\\%${LIKE_SLASH}])`
const SLASH = `(?:%[0-9a-z]{2}|%u[0-9a-f]{4}|0x(?:2f|5c)|${LEAD}|[%${LIKE_SLASH}][0-9a-z]?[0-9a-z]?){1,6}[/\\\\]?`
/** Two steps, or one whose dots nobody writes so, or dots and slashes of both kinds that a filter joins. */
export const ENCODED_STEPS: RegExp = new RegExp(
  `${DOT}${DOT}\\.?${SLASH}${DOT}${DOT}\\.?${SLASH}|(?:${ODD_DOT}){2}[/\\\\]|\\./\\\\/\\./|\\.\\\\/\\\\\\.\\\\`,
)
