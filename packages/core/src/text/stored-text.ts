/**
 * A text that somebody wrote, as every database can store it: PostgreSQL refuses NUL, and half of a surrogate
 * pair (also where the text is cut) does not come back as it was written.
 * @param most UTF-16 units; the rest is cut off
 */
export function storedText(text: string, most: number): string {
  return text.slice(0, most).replaceAll('\0', '').toWellFormed()
}
