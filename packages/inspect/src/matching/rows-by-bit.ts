const BYTES = 4
const VALUES = 256

/** Numbers of a table of `rowsByBit`, for so many numbers in a row. */
export function sizeByBit(width: number): number {
  return BYTES * VALUES * width
}

/**
 * By each byte of a mask and each value of that byte, the rules of which some bit stands in it: a row of bits
 * for each, so that a mask is looked up in four steps for 32 rules at once.
 * @param masks of each rule
 * @param table where they are written, all zero: `sizeByBit` numbers
 */
export function rowsByBit(masks: readonly number[], table: Int32Array): void {
  const width = Math.ceil(masks.length / 32)
  masks.forEach((mask, rule) => {
    for (let bits = mask; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits)
      const at = ((bit >> 3) * VALUES + (1 << (bit & 7))) * width + (rule >> 5)
      table[at] = (table[at] as number) | (1 << (rule & 31))
    }
  })
  for (let byte = 0; byte < BYTES; byte++)
    for (let value = 1; value < VALUES; value++) {
      const lowest = value & -value
      if (lowest === value) continue
      const at = (byte * VALUES + value) * width
      const one = (byte * VALUES + lowest) * width
      const others = (byte * VALUES + (value ^ lowest)) * width
      for (let row = 0; row < width; row++)
        table[at + row] = (table[one + row] as number) | (table[others + row] as number)
    }
}
