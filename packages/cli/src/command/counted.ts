/** A number and what it counts: `1 entry`, `2 entries`. */
export function counted(count: number | bigint, one: string, many: string = `${one}s`): string {
  return `${count} ${BigInt(count) === 1n ? one : many}`
}
