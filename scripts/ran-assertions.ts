/** How many assertions this process has run; counted by count-assertions.ts and counted-fast-check.ts. */
export const ranAssertions = { count: 0 }
