// Runs every test of the workspace: brings up PostgreSQL and Redis, hands their addresses to the tests, and
// takes them down again. `npm test -- PATTERN ...` runs only the test files whose path contains one of the
// patterns. Prints a line for each file, all that a failing file printed, and at the end what failed, what
// was skipped and which files took longest.
import { runTests } from './run-tests.ts'

const given = process.argv.slice(2)
process.exit(
  await runTests(
    given.filter(argument => !argument.startsWith('-')),
    { flags: given.filter(argument => argument.startsWith('-')) },
  ),
)
