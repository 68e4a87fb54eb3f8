// Imported by a process that is started for a test or a benchmark: ends it when the one that started it is
// gone, however that ended. The pipe that is its standard input closes then; nothing is ever read from it.
import { isMainThread } from 'node:worker_threads'

// A thread inherits the import, and its standard input has ended from the start: the thread that publishes an
// audit log would end once a second and be started again.
if (isMainThread) {
  process.stdin.on('error', () => process.exit(1))
  process.stdin.on('end', () => process.exit(1))
  process.stdin.resume()
  // It does not keep a process alive that is done.
  process.stdin.unref()
}
