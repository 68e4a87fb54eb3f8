/** Flags of a test file, and where it reports: a second process would report there, too. */
const OF_TEST_FILES = /^--(?:test|report-)|^--import=.*\/count-assertions\.ts$/

/**
 * Flags with which a process that a test starts runs the sources of the workspace as this one does, without
 * those that make a process a test file.
 */
export const SOURCE_FLAGS: readonly string[] = process.execArgv.filter(flag => !OF_TEST_FILES.test(flag))
