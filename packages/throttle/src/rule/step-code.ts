/**
 * Sub-window lengths as 16 bits, so that a slot of the memory table can say by itself when it is over: a
 * floating-point number of 12 significant bits, in units of 1/256 ms. Most lengths people write (a second, a
 * minute, an hour are 125, 7,500, 450,048 ms sub-windows) are exact or at most 0.05 % longer; longer is
 * stricter, so the promise of the limit holds.
 */
export interface Step {
  readonly code: number
  /** Milliseconds: the smallest representable length that is not below the one asked for. */
  readonly length: number
}

/** The shortest sub-window, milliseconds. */
export const SHORTEST_STEP = 12.5

/** The code of the shortest representable length that is at least `ms`. */
export function encodeStep(ms: number): Step {
  let exponent = Math.max(0, Math.floor(Math.log2(ms * 256)) - 11)
  let mantissa = Math.ceil((ms * 256) / 2 ** exponent)
  if (mantissa >= 4_096) {
    exponent += 1
    mantissa = Math.ceil((ms * 256) / 2 ** exponent)
  }
  const code = (exponent << 11) | (mantissa - 2_048)
  return { code, length: decodeStep(code) }
}

/** Milliseconds of a code. */
export function decodeStep(code: number): number {
  return ((2_048 + (code & 2_047)) * 2 ** (code >>> 11)) / 256
}
