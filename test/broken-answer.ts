/** An answer of 200 whose connection broke before its body came. */
export function brokenOff(): Response {
  const body = new ReadableStream({ start: stream => stream.error(new TypeError('terminated')) })
  return new Response(body)
}
