/** A text of 40 lines. */
export function documentOf(i: number): string {
  return Array.from(
    { length: 40 },
    (_, n) => `Line ${n}: it's document ${i}; see "notes" & <b>more</b> (p. ${n * i}).`,
  ).join('\n')
}
