/**
 * Reads server-sent events (HTML standard, "Server-sent events") from the body of an answer.
 * @returns a promise of their end. It may fail before anybody waits for it, where a view is left while it is
 *   being filled; that is no error that nobody caught
 */
export function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (event: string, data: string) => void,
): Promise<void> {
  const ended = read(body, onEvent)
  ended.catch(() => {})
  return ended
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (event: string, data: string) => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    text += value
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1]
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (event !== undefined && data !== undefined) onEvent(event, data)
    }
  }
}
