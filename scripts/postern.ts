// `npm run postern -- COMMAND`: the command line from the sources, without a build.
import '../packages/postern/src/bin.ts'
