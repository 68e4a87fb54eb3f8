/** None is the name of a folder at the root of a system. */
const ELEMENT_END =
  /^\s{0,8}<\/?(?:a|abbr|article|aside|b|blockquote|br|button|caption|center|cite|code|dd|del|div|dl|dt|em|figcaption|figure|font|footer|h[1-6]|header|hr|i|img|ins|kbd|label|li|main|mark|nav|ol|option|p|pre|q|s|samp|section|small|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul)(?:\s?\/?>|\s{1,4}[a-z-]{1,24}=["'])/

/**
 * Whether what stands behind a command is a tag of a page: there the text of an element ends, as a value
 * does. A shell takes it for a redirection from a file of that name, and without the file the command never
 * starts.
 */
export function endsElement(behind: string): boolean {
  return ELEMENT_END.test(behind)
}
