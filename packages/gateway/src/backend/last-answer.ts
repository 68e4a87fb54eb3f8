import type { Socket } from 'node:net'

/** How long an answer is waited for after the backend stopped taking the request. */
const LAST_ANSWER_MS = 1_000

type Written = (error?: Error | null) => void

/**
 * Lets the answer of a backend that closes be read although the request could not be sent to its end.
 *
 * A backend that refuses an upload (413, 401) often answers and closes while the body still comes. The next
 * write then fails, and a stream of Node that fails to write is destroyed together with what it has not read
 * yet: the client would read that the backend broke off. A failed write is therefore held back until the
 * backend's end of the connection has been read, which is where the socket closes by itself.
 */
export function readLastAnswer(socket: Socket): void {
  // A stream has one write under way at a time.
  let current: Written = ignore
  const done: Written = error => {
    const written = current
    if (error === undefined || error === null || socket.destroyed) {
      written(error)
      return
    }
    const timer = setTimeout(() => written(error), LAST_ANSWER_MS)
    socket.once('close', () => clearTimeout(timer))
  }
  const write = socket._write.bind(socket)
  socket._write = (chunk, encoding, written) => {
    current = written
    write(chunk, encoding, done)
  }
  const writeMany = socket._writev?.bind(socket)
  if (writeMany === undefined) return
  socket._writev = (chunks, written) => {
    current = written
    writeMany(chunks, done)
  }
}

function ignore(): void {
  // Nothing was written yet.
}
