/**
 * Packages whose code is part of the build of one of ours, licence included (`dist/LICENSES-of-others.txt`),
 * so that nobody installs them. zod: its messages in 50 languages and its other versions are most of its 6
 * MB, and loading them took a tenth of a start.
 */
export const BUNDLED: Readonly<Record<string, readonly string[]>> = { '@postern/config': ['zod'] }
