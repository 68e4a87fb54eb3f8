/**
 * Ends this process when the one that started it is gone, however it ended: the pipe that is its standard input
 * closes then. Nothing is ever read from it.
 */
export function endWithParent(): void {
  process.stdin.on('error', () => process.exit(1))
  process.stdin.on('end', () => process.exit(1))
  process.stdin.resume()
}
