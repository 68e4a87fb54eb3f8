import { Html, html } from './html.ts'

/**
 * Per version, error correction level L: data codewords, error correction codewords per block, blocks,
 * centres of alignment patterns (ISO/IEC 18004, tables 7, 9, E.1).
 */
const VERSIONS: readonly (readonly [
  data: number,
  correction: number,
  blocks: number,
  alignment: readonly number[],
])[] = [
  [19, 7, 1, []],
  [34, 10, 1, [6, 18]],
  [55, 15, 1, [6, 22]],
  [80, 20, 1, [6, 26]],
  [108, 26, 1, [6, 30]],
  [136, 18, 2, [6, 34]],
  [156, 20, 2, [6, 22, 38]],
  [194, 24, 2, [6, 24, 42]],
  [232, 30, 2, [6, 26, 46]],
]

/**
 * A QR code (ISO/IEC 18004) of up to 230 bytes as an inline picture, or nothing for a longer text: who cannot
 * scan types the secret. One mask is as valid as another to a reader, so mask 0 is always taken.
 */
export function qrCode(text: string, label: string): Html | undefined {
  const bytes = Buffer.from(text)
  const index = VERSIONS.findIndex(([data]) => bytes.length <= data - 2)
  if (index < 0) return undefined
  const modules = draw(index + 1, codewords(bytes, index))
  const size = modules.length
  let path = ''
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) if (modules[y]?.[x] === 1) path += `M${x} ${y}h1v1h-1z`
  return html`<svg class="qr" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#000000" d="${new Html(path)}"/></svg>`
}

/** Data in byte mode with its padding, and the error correction, interleaved. */
function codewords(bytes: Uint8Array, index: number): readonly number[] {
  const [capacity, correction, blocks] = VERSIONS[index] ?? [0, 0, 1, []]
  // Mode 0100, a count of 8 bits, the bytes, then a terminator of 4 bits: everything
  // is shifted by half a byte.
  const data = [0x40 | (bytes.length >> 4), ((bytes.length & 15) << 4) | ((bytes[0] ?? 0) >> 4)]
  for (let i = 0; i < bytes.length; i++) data.push((((bytes[i] ?? 0) & 15) << 4) | ((bytes[i + 1] ?? 0) >> 4))
  for (let pad = 0xec; data.length < capacity; pad ^= 0xfd) data.push(pad)
  const length = capacity / blocks
  const parts = Array.from({ length: blocks }, (_, block) => data.slice(block * length, (block + 1) * length))
  const checks = parts.map(part => reedSolomon(part, correction))
  const interleave = (lists: readonly (readonly number[])[]): readonly number[] =>
    (lists[0] ?? []).flatMap((_, at) => lists.map(list => list[at] ?? 0))
  return [...interleave(parts), ...interleave(checks)]
}

/** Product in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d)
    if (((b >> bit) & 1) === 1) product ^= a
  }
  return product
}

function reedSolomon(data: readonly number[], count: number): readonly number[] {
  let generator = [1]
  for (let i = 0, root = 1; i < count; i++, root = times(root, 2))
    generator = [...generator, 0].map((value, at) => value ^ times(generator[at - 1] ?? 0, root))
  const rest = [...data, ...new Array<number>(count).fill(0)]
  for (let i = 0; i < data.length; i++) {
    const lead = rest[i] ?? 0
    for (let j = 0; j <= count; j++) rest[i + j] = (rest[i + j] ?? 0) ^ times(generator[j] ?? 0, lead)
  }
  return rest.slice(data.length)
}

/** -1 where nothing was drawn yet. */
type Modules = number[][]

function draw(version: number, words: readonly number[]): Modules {
  const size = 17 + version * 4
  const modules: Modules = Array.from({ length: size }, () => new Array<number>(size).fill(-1))
  const set = (x: number, y: number, value: number): void => {
    const row = modules[y]
    if (row !== undefined && x >= 0 && x < size) row[x] = value
  }
  const rings = (cx: number, cy: number, radius: number, light: readonly number[]): void => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        set(cx + dx, cy + dy, light.includes(Math.max(Math.abs(dx), Math.abs(dy))) ? 0 : 1)
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    rings(x, y, 4, [2, 4])
  const centres = VERSIONS[version - 1]?.[3] ?? []
  const last = centres.at(-1)
  for (const x of centres)
    for (const y of centres)
      if (!((x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6))) rings(x, y, 2, [1])
  for (let i = 8; i < size - 8; i++) {
    set(i, 6, (i + 1) % 2)
    set(6, i, (i + 1) % 2)
  }
  drawFormat(size, set)
  if (version >= 7) drawVersion(version, size, set)
  drawData(modules, size, words)
  return modules
}

/** Error correction level L (01) and mask 0, with their BCH code, twice (section 7.9). */
function drawFormat(size: number, set: (x: number, y: number, value: number) => void): void {
  const format = 0b01 << 3
  let rest = format
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const bits = ((format << 10) | rest) ^ 0x5412
  for (let i = 0; i < 15; i++) {
    const bit = (bits >> i) & 1
    set(8, i < 6 ? i : i < 8 ? i + 1 : size - 15 + i, bit)
    set(i < 8 ? size - 1 - i : i === 8 ? 7 : 14 - i, 8, bit)
  }
  set(8, size - 8, 1)
}

/** The version with its BCH code, twice (section 7.10). */
function drawVersion(
  version: number,
  size: number,
  set: (x: number, y: number, value: number) => void,
): void {
  let rest = version
  for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25)
  const bits = (version << 12) | rest
  for (let i = 0; i < 18; i++) {
    const far = size - 11 + (i % 3)
    const near = Math.floor(i / 3)
    set(far, near, (bits >> i) & 1)
    set(near, far, (bits >> i) & 1)
  }
}

/** Writes the bits into the modules that are still free, masked (section 7.8.2, mask 0). */
function drawData(modules: Modules, size: number, words: readonly number[]): void {
  let at = 0
  for (const [x, y] of placementOrder(size)) {
    const row = modules[y] ?? []
    if (row[x] !== -1) continue
    const bit = ((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1
    row[x] = (x + y) % 2 === 0 ? bit ^ 1 : bit
    at++
  }
}

/** In columns of two, upwards and downwards in turn, from the right (section 7.7.3). */
function* placementOrder(size: number): Generator<readonly [x: number, y: number]> {
  for (let right = size - 1, upward = true; right > 0; right -= 2, upward = !upward) {
    // The column of the vertical timing pattern is passed over.
    if (right === 6) right = 5
    for (let step = 0; step < size; step++) {
      const y = upward ? size - 1 - step : step
      yield [right, y]
      yield [right - 1, y]
    }
  }
}
