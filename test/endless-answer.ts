/** A server that sends megabytes without end. */
export interface EndlessAnswer {
  readonly fetch: typeof globalThis.fetch
  /** Bytes of it that were taken. */
  readonly taken: () => number
}

/** What reads all of it stops at 64 MiB here. */
export function endlessAnswer(status = 200): EndlessAnswer {
  let sent = 0
  const chunk = new Uint8Array(65_536).fill(0x20)
  return {
    taken: () => sent,
    fetch: async () =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull: controller => {
            sent += chunk.length
            if (sent > 64 << 20) controller.close()
            else controller.enqueue(chunk)
          },
        }),
        { status },
      ),
  }
}
